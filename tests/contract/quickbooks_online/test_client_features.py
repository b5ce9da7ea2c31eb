"""What else the released clients do with the stand-in: files, batches, change feeds, mail, reports, tokens."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks, objects
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException
from quickbooks.objects.base import EmailAddress
from quickbooks.objects.companycurrency import CompanyCurrency
from quickbooks.objects.exchangerate import ExchangeRate
from quickbooks.objects.recurringtransaction import RecurringInfo, RecurringInvoice, RecurringTransaction, ScheduleInfo


def named(kind: Any, **fields: Any) -> Any:
    made = kind()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def sales_form(kind: Any) -> Any:
    detail = {"ItemRef": {"value": "1"}}
    line = {"Amount": 100, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return kind.from_json({"CustomerRef": {"value": "1"}, "Line": [line]})


def test_tax_codes_are_made_through_the_tax_service(qb: QuickBooks) -> None:
    agency = named(objects.TaxAgency, DisplayName="County Office").save(qb=qb)
    service = objects.TaxService()
    service.TaxCode = "County"
    detail = objects.TaxRateDetails()
    detail.TaxRateName, detail.RateValue, detail.TaxAgencyId, detail.TaxApplicableOn = "C1", 6.25, agency.Id, "Sales"
    service.TaxRateDetails.append(detail)
    made = service.save(qb=qb)
    code = objects.TaxCode.get(made.TaxCodeId, qb=qb)
    assert code.Name == "County"
    rate = objects.TaxRate.get(code.SalesTaxRateList.TaxRateDetail[0].TaxRateRef.value, qb=qb)
    assert rate.RateValue == Decimal("6.25")


def test_currencies_and_rates_are_listed_and_changed(qb: QuickBooks) -> None:
    assert "EUR" in {currency.Code for currency in CompanyCurrency.all(qb=qb)}
    rate = ExchangeRate.where("SourceCurrencyCode = 'EUR'", qb=qb)[0]
    rate.Rate = Decimal("1.2345")
    rate.save(qb=qb)
    assert ExchangeRate.where("SourceCurrencyCode = 'EUR'", qb=qb)[0].Rate == Decimal("1.2345")


def test_a_file_is_attached_and_its_content_comes_back(qb: QuickBooks) -> None:
    attachment = named(objects.Attachable, FileName="orders.csv", ContentType="text/csv", Note="the orders")
    attachment._FileBytes = b"number,total\n1001,77.00\n"
    made = attachment.save(qb=qb)
    held = objects.Attachable.get(made.Id, qb=qb)
    assert held.Size == len(attachment._FileBytes)
    assert httpx.get(held.TempDownloadUri).content == attachment._FileBytes


def test_batches_report_each_item_by_itself(qb: QuickBooks) -> None:
    people = [named(objects.Customer, DisplayName=f"Batch {n}") for n in range(35)]
    people.append(named(objects.Customer, DisplayName="batch 3"))
    outcome = batch_create(people, qb=qb)
    assert len(outcome.successes) == 35
    assert [fault.Error[0].code for fault in outcome.faults] == ["6240"]
    for customer in outcome.successes:
        customer.Notes = "seen"
    changed = batch_update(outcome.successes, qb=qb)
    assert {customer.SyncToken for customer in changed.successes} == {"1"}
    invoices = batch_create([sales_form(objects.Invoice) for _ in range(3)], qb=qb).successes
    assert len(batch_delete(invoices, qb=qb).successes) == 3


def test_change_data_capture_tells_what_changed_and_what_went(qb: QuickBooks) -> None:
    kept = sales_form(objects.Invoice).save(qb=qb)
    gone = sales_form(objects.Invoice).save(qb=qb)
    gone.delete(qb=qb)
    since = kept.MetaData["LastUpdatedTime"] if isinstance(kept.MetaData, dict) else kept.MetaData.LastUpdatedTime
    changes = change_data_capture([objects.Invoice, objects.Customer, objects.Term], since, qb=qb)
    statuses = {invoice.Id: getattr(invoice, "status", None) for invoice in changes.Invoice}
    assert statuses == {kept.Id: None, gone.Id: "Deleted"}
    assert [customer.Id for customer in changes.Customer] == ["1"]
    assert not hasattr(changes, "Term")


def test_the_same_request_id_makes_one_invoice(qb: QuickBooks) -> None:
    request = str(uuid4())
    first = sales_form(objects.Invoice).save(qb=qb, request_id=request)
    second = sales_form(objects.Invoice).save(qb=qb, request_id=request)
    assert first.Id == second.Id


def test_forms_are_mailed_and_printed(qb: QuickBooks) -> None:
    invoice = sales_form(objects.Invoice)
    invoice.BillEmail = EmailAddress()
    invoice.BillEmail.Address = "buyer@people.example"
    made = invoice.save(qb=qb)
    made.send(qb=qb)
    assert objects.Invoice.get(made.Id, qb=qb).EmailStatus == "EmailSent"
    assert made.download_pdf(qb).startswith(b"%PDF")


def test_reports_are_read(qb: QuickBooks) -> None:
    report = qb.get_report("ProfitAndLoss", {"start_date": "2015-01-01", "end_date": "2026-12-31"})
    assert report["Header"]["ReportName"] == "ProfitAndLoss"
    assert report["Rows"]["Row"][-1]["group"] == "NetIncome"


def test_tokens_are_refreshed_verified_and_revoked(auth: AuthClient, qb: QuickBooks) -> None:
    assert auth.id_token is not None, "the signature of the id token was not accepted"
    assert auth.get_user_info().json()["emailVerified"] is True
    before = auth.access_token
    auth.refresh()
    assert auth.access_token != before
    auth.revoke()
    with pytest.raises(AuthClientError) as refused:
        auth.refresh()
    assert "invalid_grant" in str(refused.value.content)
    with pytest.raises(AuthorizationException):
        objects.Customer.all(qb=qb)


def test_a_recurring_invoice_is_kept_as_a_template(qb: QuickBooks) -> None:
    template = sales_form(RecurringInvoice)
    template.RecurringInfo = named(RecurringInfo, Name="Every month", Active=True)
    template.RecurringInfo.ScheduleInfo = named(ScheduleInfo, IntervalType="Monthly", NumInterval=1, DayOfMonth=1)
    made = named(RecurringTransaction, Invoice=template).save(qb=qb)
    held = RecurringTransaction.get(made.Invoice.Id, qb=qb)
    assert held.Invoice.RecurringInfo.ScheduleInfo.IntervalType == "Monthly"
    assert [part.Invoice.Id for part in RecurringTransaction.where("Type = 'Invoice'", qb=qb)] == [made.Invoice.Id]
    assert objects.Invoice.filter(Id=made.Invoice.Id, qb=qb) == []
    held.delete(qb=qb)
    with pytest.raises(ObjectNotFoundException):
        RecurringTransaction.get(made.Invoice.Id, qb=qb)
