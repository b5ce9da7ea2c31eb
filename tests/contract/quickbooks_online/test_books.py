"""The books balance whatever is done to them, and say what the worked examples say."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ZERO_SUM = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_receipt_with_discount_shipping_and_tax_posts_every_part(company: Any) -> None:
    before = company.trial_balance()
    receipt = company.make(
        "SalesReceipt",
        company.form(
            company.line(50, "3", "TAX", Qty=2, UnitPrice=25),
            company.line(19.99, "3", "TAX"),
            company.line(7.95, "SHIPPING_ITEM_ID"),
            {"Amount": 5, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": False}},
            TxnTaxDetail={"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 4.06},
        ),
    )
    assert receipt["TotalAmt"] == 77.0
    after = company.trial_balance()
    moved = {account: round(after.get(account, 0) - before.get(account, 0), 2) for account in after}
    assert {account: amount for account, amount in moved.items() if amount} == {
        "4": 77.0,
        "86": 5.0,
        "48": -69.99,
        "92": -7.95,
        "89": -4.06,
    }


def test_stock_leaves_at_average_cost_and_comes_back(company: Any) -> None:
    pump = company.read("Item", "11")
    before = company.trial_balance()
    invoice = company.make("Invoice", company.form(company.line(30, "11", Qty=2, UnitPrice=15)))
    after = company.trial_balance()
    assert round(after["80"] - before.get("80", 0), 2) == 20.0
    assert round(after["81"] - before["81"], 2) == -20.0
    assert company.read("Item", "11")["QtyOnHand"] == pump["QtyOnHand"] - 2
    company.make("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="delete")
    assert company.trial_balance() == before
    assert company.read("Item", "11")["QtyOnHand"] == pump["QtyOnHand"]


def test_customer_balance_is_the_receivable_ledger_and_moves_no_token(company: Any) -> None:
    company.make("Customer", {"DisplayName": "Balance Watcher"})
    customer = company.query("select * from Customer where DisplayName = 'Balance Watcher'")["Customer"][0]["Id"]
    invoice = company.make("Invoice", company.form(company.line(100), customer=customer))
    company.make("CreditMemo", company.form(company.line(30), customer=customer))
    company.make("Payment", company.payment(50, ("Invoice", invoice["Id"], 40), customer=customer))
    held = company.read("Customer", customer)
    assert (held["Balance"], held["SyncToken"]) == (20.0, "0")
    paid = company.read("Invoice", invoice["Id"])
    assert (paid["Balance"], paid["SyncToken"]) == (60.0, "1")
    assert paid["LinkedTxn"][0]["TxnType"] == "Payment"


def test_a_credit_is_used_through_a_payment_of_zero(company: Any) -> None:
    invoice = company.make("Invoice", company.form(company.line(100)))
    credit = company.make("CreditMemo", company.form(company.line(30)))
    company.make("Payment", company.payment(0, ("Invoice", invoice["Id"], 30), ("CreditMemo", credit["Id"], 30)))
    assert company.read("Invoice", invoice["Id"])["Balance"] == 70.0
    assert company.read("CreditMemo", credit["Id"])["RemainingCredit"] == 0


def test_an_unapplied_payment_is_applied_later(company: Any) -> None:
    invoice = company.make("Invoice", company.form(company.line(100)))
    payment = company.make("Payment", company.payment(100))
    assert payment["UnappliedAmt"] == 100.0
    line = {"Amount": 100, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    changed = company.make(
        "Payment", {"Id": payment["Id"], "SyncToken": payment["SyncToken"], "sparse": True, "Line": [line]}
    )
    assert changed["UnappliedAmt"] == 0
    assert company.read("Invoice", invoice["Id"])["Balance"] == 0


def test_voiding_a_paid_invoice_frees_the_payment(company: Any) -> None:
    invoice = company.make("Invoice", company.form(company.line(80)))
    payment = company.make("Payment", company.payment(80, ("Invoice", invoice["Id"], 80)))
    token = company.read("Invoice", invoice["Id"])["SyncToken"]
    voided = company.make("Invoice", {"Id": invoice["Id"], "SyncToken": token}, operation="void")
    assert (voided["TotalAmt"], voided["Balance"], voided["PrivateNote"]) == (0, 0, "Voided")
    assert voided["Line"][0]["SalesItemLineDetail"]["Qty"] == 0
    assert company.read("Payment", payment["Id"])["UnappliedAmt"] == 80.0


def test_a_deposit_takes_the_money_out_of_undeposited_funds_and_pins_the_receipt(company: Any) -> None:
    before = company.trial_balance()
    receipt = company.make("SalesReceipt", company.form(company.line(77)))
    refund = company.make("RefundReceipt", company.form(company.line(24.66), DepositToAccountRef={"value": "4"}))
    lines = [
        {"LinkedTxn": [{"TxnId": receipt["Id"], "TxnType": "SalesReceipt", "TxnLineId": "0"}]},
        {"LinkedTxn": [{"TxnId": refund["Id"], "TxnType": "RefundReceipt", "TxnLineId": "0"}]},
        {"Amount": -2.53, "DetailType": "DepositLineDetail", "DepositLineDetail": {"AccountRef": {"value": "96"}}},
    ]
    body = {"DepositToAccountRef": {"value": "35"}, "Line": lines}
    deposit = company.make("Deposit", body)
    assert deposit["TotalAmt"] == 49.81
    after = company.trial_balance()
    assert round(after.get("4", 0) - before.get("4", 0), 2) == 0
    assert round(after["35"] - before.get("35", 0), 2) == 49.81
    assert round(after["96"] - before.get("96", 0), 2) == 2.53
    assert company.fault("deposit", body) == "620"
    held = company.read("SalesReceipt", receipt["Id"])
    addressed = {"Id": receipt["Id"], "SyncToken": held["SyncToken"]}
    assert company.fault("salesreceipt", addressed, operation="delete") == "6540"
    assert company.fault("salesreceipt", {**addressed, "sparse": True, "TxnDate": "2026-01-01"}) == "6540"
    company.make("Deposit", {"Id": deposit["Id"], "SyncToken": deposit["SyncToken"]}, operation="delete")
    held = company.read("SalesReceipt", receipt["Id"])
    company.make("SalesReceipt", {"Id": receipt["Id"], "SyncToken": held["SyncToken"]}, operation="delete")


def test_a_closed_period_takes_no_postings(stand_in: Any, company: Any) -> None:
    preferences = company.get("preferences").json()["Preferences"]
    prefs = {**preferences["AccountingInfoPrefs"], "BookCloseDate": "2026-01-31"}
    body = {"SyncToken": preferences["SyncToken"], "sparse": True, "AccountingInfoPrefs": prefs}
    assert company.post("preferences", body).status_code == 200
    closed = company.form(company.line(10), TxnDate="2026-01-31")
    assert company.fault("invoice", closed) == "6200"
    stand_in.control("PATCH", f"companies/{company.realm}", {"close_password": True})
    assert company.fault("invoice", closed) == "6210"
    assert company.post("invoice", {**closed, "TxnDate": "2026-02-01"}).status_code == 200


def test_a_lapsed_company_can_be_read_but_not_written(stand_in: Any, company: Any) -> None:
    stand_in.control("PATCH", f"companies/{company.realm}", {"subscription": "lapsed"})
    assert company.fault("customer", {"DisplayName": "Too Late"}) == "6190"
    assert company.get("customer/1").status_code == 200


def test_tax_is_rounded_once_per_rate(company: Any) -> None:
    two_rates = company.make(
        "Invoice",
        company.form(company.line(10.05, "3", "TAX"), TxnTaxDetail={"TxnTaxCodeRef": {"value": "3"}}),
    )
    amounts = [line["Amount"] for line in two_rates["TxnTaxDetail"]["TaxLine"]]
    assert amounts == [0.71, 0.2]
    assert two_rates["TotalAmt"] == 10.96


@pytest.mark.parametrize(("after", "tax"), [(False, 8.0), (True, 7.2)])
def test_discount_lowers_the_taxed_amount_only_where_the_form_says_so(company: Any, after: bool, tax: float) -> None:
    discount = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}
    body = company.form(company.line(100, "3", "TAX"), discount, ApplyTaxAfterDiscount=after)
    invoice = company.make("Invoice", {**body, "TxnTaxDetail": {"TxnTaxCodeRef": {"value": "2"}}})
    assert invoice["TxnTaxDetail"]["TotalTax"] == tax
    assert invoice["TotalAmt"] == 90 + tax
    assert invoice["Line"][-1]["Amount"] == 10.0


def test_automated_tax_follows_the_ship_to_state_and_yields_to_a_forced_total(stand_in: Any) -> None:
    company = stand_in.new_company("small", tax_model="us_automated")
    customer = company.make("Customer", {"DisplayName": "Far Away"})["Id"]
    address = {"ShipAddr": {"Line1": "1 Road", "City": "Tucson", "CountrySubDivisionCode": "AZ"}}
    body = company.form(company.line(100, "1", "TAX"), customer=customer, **address)
    assert company.make("SalesReceipt", body)["TxnTaxDetail"]["TotalTax"] == 7.1
    forced = company.make("SalesReceipt", {**body, "TxnTaxDetail": {"TotalTax": 6.99}})
    assert forced["TotalAmt"] == 106.99
    assert sum(line["Amount"] for line in forced["TxnTaxDetail"]["TaxLine"]) == 6.99


def test_global_tax_comes_from_the_code_of_each_line(stand_in: Any) -> None:
    company = stand_in.new_company("small", tax_model="global", country="GB", home_currency="GBP")
    customer = company.make("Customer", {"DisplayName": "Inland Buyer"})["Id"]
    lines = (company.line(100, "1", "2"), company.line(40, "1", "3"))
    body = company.form(*lines, customer=customer)
    assert company.fault("invoice", body) == "2020"
    excluded = company.make("Invoice", {**body, "GlobalTaxCalculation": "TaxExcluded"})
    assert (excluded["TxnTaxDetail"]["TotalTax"], excluded["TotalAmt"]) == (22.0, 162.0)
    gross = company.line(13.55, "1", "2", TaxInclusiveAmt=14.90)
    inclusive = company.form(gross, customer=customer, GlobalTaxCalculation="TaxInclusive")
    assert company.make("Invoice", inclusive)["TotalAmt"] == 14.9
    company.trial_balance()


def test_a_rate_change_between_invoice_and_payment_is_a_gain(stand_in: Any) -> None:
    company = stand_in.new_company("small", multi_currency=True)
    customer = company.make("Customer", {"DisplayName": "Euro Buyer", "CurrencyRef": {"value": "EUR"}})["Id"]
    euro = {"CurrencyRef": {"value": "EUR"}}
    invoice = company.make("Invoice", company.form(company.line(100), customer=customer, ExchangeRate=1.10, **euro))
    assert invoice["HomeTotalAmt"] == 110.0
    payment = company.payment(100, ("Invoice", invoice["Id"], 100), customer=customer)
    company.make("Payment", {**payment, "ExchangeRate": 1.12, **euro})
    balances = company.trial_balance()
    gain = company.query("select * from Account where AccountSubType = 'ExchangeGainOrLoss'")["Account"][0]
    assert balances[gain["Id"]] == -2.0
    assert balances["4"] == 112.0
    assert company.read("Customer", customer)["Balance"] == 0


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["invoice", "receipt", "credit", "refund", "pay", "void", "delete", "update", "stock", "deposit"]
        ),
        st.integers(1, 99_999),
        st.integers(0, 10_000),
    ),
    min_size=5,
    max_size=25,
)


@pytest.fixture(scope="module")
def busy_company(stand_in: Any) -> Any:
    return stand_in.new_company()


@ZERO_SUM
@given(OPERATIONS)
def test_debits_equal_credits_after_any_sequence_of_operations(busy_company: Any, operations: list[Any]) -> None:
    made: list[tuple[str, str]] = []
    for name, money, seed in operations:
        _act(busy_company, made, name, money / 100, random.Random(seed))
    balances = busy_company.trial_balance()
    assert round(sum(balances.values()), 2) == 0
    customers = busy_company.query("select * from Customer maxresults 1000")["Customer"]
    assert round(sum(customer["Balance"] for customer in customers), 2) == balances.get("84", 0)


def _act(company: Any, made: list[tuple[str, str]], name: str, amount: float, chance: random.Random) -> None:
    """One operation; a refusal by the rules is as good as a success, a broken server is not."""
    entities = {"invoice": "Invoice", "receipt": "SalesReceipt", "credit": "CreditMemo", "refund": "RefundReceipt"}
    if name in entities:
        extra = {"DepositToAccountRef": {"value": "4"}} if name == "refund" else {}
        tax = {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": chance.choice("23")}}}
        lines = [company.line(amount, "3", chance.choice(["TAX", "NON"])), company.line(15, "11", Qty=1, UnitPrice=15)]
        entity = entities[name]
        made.append((entity, company.make(entity, company.form(*lines, **tax, **extra))["Id"]))
    elif name == "stock":
        body = {"VendorRef": {"value": "46"}, "Line": [_bought("11", amount)]}
        made.append(("Bill", company.make("Bill", body)["Id"]))
    elif made:
        entity, identifier = chance.choice(made)
        held = company.get(f"{entity.lower()}/{identifier}")
        if held.status_code != 200:
            return
        doc = held.json()[entity]
        addressed = {"Id": identifier, "SyncToken": doc["SyncToken"]}
        answer = None
        if name == "pay" and entity == "Invoice":
            answer = company.post(
                "payment", company.payment(amount, ("Invoice", identifier, min(amount, doc["Balance"])))
            )
            if answer.status_code == 200:
                made.append(("Payment", answer.json()["Payment"]["Id"]))
        elif name == "deposit" and entity in ("SalesReceipt", "Payment", "RefundReceipt"):
            line = {"LinkedTxn": [{"TxnId": identifier, "TxnType": entity, "TxnLineId": "0"}]}
            answer = company.post("deposit", {"DepositToAccountRef": {"value": "35"}, "Line": [line]})
        elif name == "update" and entity in entities.values():
            lines = [company.line(amount, "3", "NON")]
            answer = company.post(entity.lower(), {**addressed, "sparse": True, "Line": lines})
        elif name in ("void", "delete"):
            answer = company.post(entity.lower(), addressed, operation=name)
        if answer is not None:
            assert answer.status_code in (200, 400), answer.text


def _bought(item: str, amount: float) -> dict[str, Any]:
    detail = {"ItemRef": {"value": item}, "Qty": 3}
    return {"Amount": amount, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail}


def test_an_unapplied_payment_is_paid_back_through_the_receivable(company: Any) -> None:
    customer = company.make("Customer", {"DisplayName": "Changed Her Mind"})["Id"]
    payment = company.make("Payment", company.payment(60, customer=customer))
    detail = {"AccountRef": {"value": "84"}}
    line = {"Amount": 60, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}
    body = {"PaymentType": "Check", "AccountRef": {"value": "35"}, "Line": [line]}
    check = company.make("Purchase", {**body, "EntityRef": {"value": customer, "type": "Customer"}})
    assert company.read("Customer", customer)["Balance"] == 0
    link = {"Amount": 60, "LinkedTxn": [{"TxnId": check["Id"], "TxnType": "Check"}]}
    addressed = {"Id": payment["Id"], "SyncToken": payment["SyncToken"], "sparse": True}
    used = company.make("Payment", {**addressed, "Line": [link]})
    assert (used["UnappliedAmt"], used["Line"][0]["LinkedTxn"][0]["TxnType"]) == (0, "Check")
    stranger = company.payment(60, ("Check", check["Id"], 60), customer="3")
    assert company.fault("payment", stranger) == "620"
    company.trial_balance()


def test_new_lines_under_an_old_tax_code_are_taxed_anew(company: Any) -> None:
    tax = {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": "2"}}}
    invoice = company.make("Invoice", company.form(company.line(100, "3", "TAX"), **tax))
    addressed = {"Id": invoice["Id"], "SyncToken": "0", "sparse": True}
    changed = company.make("Invoice", {**addressed, "Line": [company.line(50, "3", "TAX")]})
    assert changed["TotalAmt"] == 54.0


def test_a_paid_invoice_keeps_its_customer(company: Any) -> None:
    invoice = company.make("Invoice", company.form(company.line(100)))
    company.make("Payment", company.payment(10, ("Invoice", invoice["Id"], 10)))
    body = {"Id": invoice["Id"], "SyncToken": "1", "sparse": True, "CustomerRef": {"value": "2"}}
    assert company.fault("invoice", body) == "6000"
