"""QuickBooks Online's JSON as far as we read it. Fields that we do not read are ignored, so new ones do no harm."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int | str) and not isinstance(value, bool) else value


Number = Annotated[Decimal, BeforeValidator(_exact)]
"""A JSON number, read without ever being a float."""


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True)


class Ref(Wire):
    value: str = ""
    name: str = ""


class LinkedTxn(Wire):
    txn_id: str = Field("", alias="TxnId")
    txn_type: str = Field("", alias="TxnType")


class Line(Wire):
    id: str = Field("", alias="Id")
    amount: Number | None = Field(None, alias="Amount")
    detail_type: str = Field("", alias="DetailType")
    linked: tuple[LinkedTxn, ...] = Field((), alias="LinkedTxn")


class MetaData(Wire):
    updated_at: datetime | None = Field(None, alias="LastUpdatedTime")


class Email(Wire):
    address: str = Field("", alias="Address")


class Record(Wire):
    """Any object of the ledger: transactions, names and list entries share these fields."""

    id: str = Field(alias="Id")
    token: str = Field("", alias="SyncToken")
    status: str = ""
    meta: MetaData = Field(MetaData(), alias="MetaData")

    @property
    def deleted(self) -> bool:
        return self.status == "Deleted"


class Transaction(Record):
    number: str = Field("", alias="DocNumber")
    on: date | None = Field(None, alias="TxnDate")
    memo: str = Field("", alias="PrivateNote")
    total: Number | None = Field(None, alias="TotalAmt")
    balance: Number | None = Field(None, alias="Balance")
    unapplied: Number | None = Field(None, alias="UnappliedAmt")
    remaining: Number | None = Field(None, alias="RemainingCredit")
    customer: Ref = Field(Ref(), alias="CustomerRef")
    entity: Ref = Field(Ref(), alias="EntityRef")
    vendor: Ref = Field(Ref(), alias="VendorRef")
    reference: str = Field("", alias="PaymentRefNum")
    payment_type: str = Field("", alias="PaymentType")
    lines: tuple[Line, ...] = Field((), alias="Line")
    linked: tuple[LinkedTxn, ...] = Field((), alias="LinkedTxn")


class Name(Record):
    """Customer, Vendor or Employee."""

    display_name: str = Field("", alias="DisplayName")
    active: bool = Field(True, alias="Active")
    company_name: str = Field("", alias="CompanyName")
    full_name: str = Field("", alias="FullyQualifiedName")
    email: Email = Field(Email(), alias="PrimaryEmailAddr")
    currency: Ref = Field(Ref(), alias="CurrencyRef")
    tax_code: Ref = Field(Ref(), alias="DefaultTaxCodeRef")
    balance: Number | None = Field(None, alias="Balance")


class TaxRateDetail(Wire):
    rate: Ref = Field(Ref(), alias="TaxRateRef")


class TaxRateList(Wire):
    details: tuple[TaxRateDetail, ...] = Field((), alias="TaxRateDetail")


class BundleMember(Wire):
    item: Ref = Field(Ref(), alias="ItemRef")
    quantity: Number | None = Field(None, alias="Qty")


class Bundle(Wire):
    members: tuple[BundleMember, ...] = Field((), alias="ItemGroupLine")


class ListEntry(Record):
    """An entry of any other list: account, item, tax code, term, payment method, class, department."""

    name: str = Field("", alias="Name")
    full_name: str = Field("", alias="FullyQualifiedName")
    active: bool = Field(True, alias="Active")
    sku: str = Field("", alias="Sku")
    type: str = Field("", alias="Type")
    account_type: str = Field("", alias="AccountType")
    account_sub_type: str = Field("", alias="AccountSubType")
    account_number: str = Field("", alias="AcctNum")
    currency: Ref = Field(Ref(), alias="CurrencyRef")
    quantity: Number | None = Field(None, alias="QtyOnHand")
    cost: Number | None = Field(None, alias="PurchaseCost")
    price: Number | None = Field(None, alias="UnitPrice")
    preferred_vendor: Ref = Field(Ref(), alias="PrefVendorRef")
    expense_account: Ref = Field(Ref(), alias="ExpenseAccountRef")
    taxable: bool | None = Field(None, alias="Taxable")
    sales_rates: TaxRateList = Field(TaxRateList(), alias="SalesTaxRateList")
    due_days: int | None = Field(None, alias="DueDays")
    bundle: Bundle | None = Field(None, alias="ItemGroupDetail")
