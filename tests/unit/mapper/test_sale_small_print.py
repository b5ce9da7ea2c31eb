"""Section 13: free gifts, discounts, surcharges and the worked fee, line by line."""

import pytest
from tests.unit.mapper.samples import D, configuration, example_a, line, mapped, only, order, tax, tender

from common.messages.orders import Order, Surcharge, TaxLine
from common.messages.transactions import AccountRole, DocumentKind, LineKind
from mapper.mapping.postings import postings, trial_balance


def with_free_gift() -> Order:
    """A lamp for 80.00 and a candle of 12.00 that costs nothing."""
    return order(
        lines=(
            line("l1", "LAMP", "80.00"),
            line("l2", "CANDLE", "12.00", amount=D("0.00"), discount=D("12.00")),
        ),
        total=D("80.00"),
        tenders=(tender("80.00"),),
    )


@pytest.mark.parametrize(
    ("shown", "lines", "balance"),
    [
        (
            False,
            [("product", "80.00", "l1", "80.00"), ("product", "0.00", "l2", "0")],
            {"UF": "80.00", "INC": "-80.00"},
        ),
        (
            True,
            [
                ("product", "80.00", "l1", "80.00"),
                ("product", "12.00", "l2", "12.00"),
                ("discount", "-12.00", "l2", None),
            ],
            {"UF": "80.00", "INC": "-92.00", "DISC": "12.00"},
        ),
    ],
)
def test_a_free_gift_is_a_line_of_nothing_or_its_price_and_as_much_off(
    shown: bool, lines: list[tuple[str, str, str, str | None]], balance: dict[str, str]
) -> None:
    for mode, kind in (("sales_receipts", DocumentKind.SALES_RECEIPT), ("invoices_only", DocumentKind.INVOICE)):
        written = only(mapped(with_free_gift(), configuration(mode, show_line_discounts=shown)), kind)
        found = [(one.kind.value, one.amount, one.source_line_id, one.unit_price) for one in written.lines]
        assert found == [
            (name, D(amount), line_id, None if price is None else D(price)) for name, amount, line_id, price in lines
        ]
        assert written.total == D("80.00")
    receipt = only(mapped(with_free_gift(), configuration(show_line_discounts=shown)), DocumentKind.SALES_RECEIPT)
    assert trial_balance([receipt]) == {role: D(amount) for role, amount in balance.items()}


@pytest.mark.parametrize(("taxes", "code"), [((), "NON"), ((tax("0.10"),), "TAX")])
def test_a_surcharge_is_income_on_a_line_of_its_own(taxes: tuple[TaxLine, ...], code: str) -> None:
    charged = D("0.10") if taxes else D("0.00")
    total = D("78.50") + charged
    source = example_a(
        surcharges=(Surcharge(external_id="x", title="Gift wrap", amount=D("1.50"), taxes=taxes),),
        taxes=(tax(str(D("4.06") + charged)),),
        tax_total=D("4.06") + charged,
        total=total,
        tenders=(tender(str(total)),),
    )
    receipt = only(mapped(source, configuration()), DocumentKind.SALES_RECEIPT)
    (wrap,) = [one for one in receipt.lines if one.kind is LineKind.SURCHARGE]
    assert (wrap.account.role, wrap.amount, wrap.description, wrap.tax_code, wrap.taxable) == (
        AccountRole.INCOME,
        D("1.50"),
        "Gift wrap",
        code,
        bool(taxes),
    )
    assert trial_balance([receipt])["INC"] == D("-71.49")


@pytest.mark.parametrize(("tips_to", "role"), [("liability", AccountRole.TIPS), ("income", AccountRole.INCOME)])
def test_a_tip_is_owed_to_staff_or_income(tips_to: str, role: AccountRole) -> None:
    source = example_a(tips=D("5.00"), total=D("82.00"), tenders=(tender("82.00"),))
    receipt = only(mapped(source, configuration(tips_to=tips_to)), DocumentKind.SALES_RECEIPT)
    (tip,) = [one for one in receipt.lines if one.kind is LineKind.TIP]
    assert (tip.account.role, tip.amount, tip.tax_code, tip.taxable) == (role, D("5.00"), "NON", False)


def test_the_worked_fee_is_2_53_and_its_receipt_has_82_00_on_both_sides() -> None:
    fees = {"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
    receipt = only(mapped(example_a(), configuration(fees=fees)), DocumentKind.SALES_RECEIPT)
    (fee,) = [one for one in receipt.lines if one.kind is LineKind.FEE]
    assert (fee.amount, fee.account.role, fee.tax_code, fee.taxable) == (D("-2.53"), AccountRole.FEES, "NON", False)
    amounts = [amount for _, amount in postings(receipt)]
    assert sum(one for one in amounts if one > 0) == D("82.00")
    assert sum(one for one in amounts if one < 0) == D("-82.00")
