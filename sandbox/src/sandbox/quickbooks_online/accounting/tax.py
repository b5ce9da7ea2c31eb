"""Sales and purchase tax as the ledger computes it: on the sum per rate, rounded once per rate."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.tax_lists import make_code
from sandbox.quickbooks_online.faults import Fault, bad_reference, business, missing
from sandbox.quickbooks_online.table import Doc

HUNDRED = Decimal(100)
US_LINE_CODES = ("TAX", "NON")


@dataclass(slots=True)
class TaxedLine:
    """A line as tax sees it: net amount, tax code id (None when the line has none), gross amount if it was given."""

    amount: Decimal
    code: str | None
    gross: Decimal | None = None


def is_us(company: Company) -> bool:
    return company.settings.tax_model.startswith("us")


def check_line_code(company: Company, reference: dict[str, str] | None, element: str) -> None:
    """Raises 6100 for a US line code other than TAX and NON, 2500 for an unknown code elsewhere."""
    if reference is None:
        return
    value = reference["value"]
    if is_us(company):
        if value not in US_LINE_CODES:
            raise Fault("6100", f"The tax code of a line must be TAX or NON, not {value}", element)
    elif company.get("TaxCode", value) is None:
        raise bad_reference("TaxCodes", value, element)


def rates_of(company: Company, code: str, *, purchase: bool = False) -> list[Doc]:
    """The TaxRate objects behind a tax code."""
    doc = company.get("TaxCode", code)
    if doc is None:
        raise bad_reference("TaxCodes", code, "TxnTaxDetail.TxnTaxCodeRef")
    listed = doc.get("PurchaseTaxRateList" if purchase else "SalesTaxRateList") or {}
    found = []
    for detail in listed.get("TaxRateDetail", []):
        rate = company.get("TaxRate", detail["TaxRateRef"]["value"])
        if rate is not None:
            found.append(rate)
    return found


def tax_detail(
    company: Company,
    sent: Doc | None,
    lines: list[TaxedLine],
    discount: Decimal,
    *,
    after_discount: bool,
    calculation: str | None,
    state: str,
    purchase: bool = False,
) -> Doc:
    """The TxnTaxDetail of a document: what was sent, completed by what the ledger computes itself.

    ``discount`` is positive; ``calculation`` is GlobalTaxCalculation; ``state`` the ship-to state for automated tax.
    """
    sent = sent or {}
    if is_us(company):
        return _us_detail(company, sent, lines, discount if after_discount else ZERO, state)
    if calculation is None:
        raise missing("GlobalTaxCalculation")
    if calculation == "NotApplicable":
        return {"TotalTax": ZERO}
    if any(line.code is None for line in lines if line.amount):
        raise business("Make sure all your transactions have a GST/HST or VAT rate before you save.", "Line")
    return _global_detail(company, sent, lines, discount, calculation, purchase=purchase)


def _base(lines: list[TaxedLine], discount: Decimal) -> Decimal:
    taxable = sum((line.amount for line in lines if line.code not in (None, "NON")), ZERO)
    subtotal = sum((line.amount for line in lines), ZERO)
    if discount and subtotal:
        return cents(taxable - discount * taxable / subtotal)
    return taxable


def _line(amount: Decimal, rate: Doc, base: Decimal) -> Doc:
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate["Id"]},
            "PercentBased": True,
            "TaxPercent": rate["RateValue"],
            "NetAmountTaxable": base,
        },
    }


def _us_detail(company: Company, sent: Doc, lines: list[TaxedLine], discount: Decimal, state: str) -> Doc:
    base = _base(lines, discount)
    total: Decimal | None = sent.get("TotalTax")
    if sent.get("TaxLine"):
        return _sent_lines(company, sent)
    reference = sent.get("TxnTaxCodeRef")
    automated = company.settings.tax_model == "us_automated"
    if automated:
        reference = _automated_code(company, state) if base or total else None
    if total and not base:
        raise Fault("6470", "TotalTax was given but no line is taxable", "TxnTaxDetail.TotalTax")
    if reference is None:
        return {"TotalTax": total or ZERO}
    rates = rates_of(company, reference["value"])
    if not base and total is None:
        return {"TotalTax": ZERO}
    tax_lines = [_line(cents(base * rate["RateValue"] / HUNDRED), rate, base) for rate in rates]
    computed = sum((line["Amount"] for line in tax_lines), ZERO)
    if total is not None and total != computed:
        _spread(tax_lines, total, computed)
    detail: Doc = {"TxnTaxCodeRef": {"value": reference["value"]}, "TotalTax": computed if total is None else total}
    if tax_lines:
        detail["TaxLine"] = tax_lines
    return detail


def _spread(tax_lines: list[Doc], total: Decimal, computed: Decimal) -> None:
    """Share an amount that the client forces over the rates, in the ratio of what they would have been."""
    left = total
    for line in tax_lines[:-1]:
        share = cents(total * line["Amount"] / computed) if computed else ZERO
        line["Amount"] = share
        left -= share
    if tax_lines:
        tax_lines[-1]["Amount"] = left


def _sent_lines(company: Company, sent: Doc) -> Doc:
    kept = []
    for line in sent["TaxLine"]:
        detail = line.get("TaxLineDetail") or {}
        reference = detail.get("TaxRateRef")
        if reference is None:
            raise missing("TaxLineDetail.TaxRateRef")
        rate = company.get("TaxRate", reference["value"])
        if rate is None:
            raise bad_reference("TaxRates", reference["value"], "TxnTaxDetail.TaxLine.TaxLineDetail.TaxRateRef")
        if line.get("Amount") is None:
            raise missing("TxnTaxDetail.TaxLine.Amount")
        whole = {"PercentBased": True, "TaxPercent": rate["RateValue"], **detail}
        kept.append({"Amount": line["Amount"], "DetailType": "TaxLineDetail", "TaxLineDetail": whole})
    computed = sum((line["Amount"] for line in kept), ZERO)
    total: Decimal | None = sent.get("TotalTax")
    if total is not None and total != computed:
        _spread(kept, total, computed)
    out: Doc = {"TotalTax": computed if total is None else total, "TaxLine": kept}
    if sent.get("TxnTaxCodeRef"):
        rates_of(company, sent["TxnTaxCodeRef"]["value"])
        out = {"TxnTaxCodeRef": {"value": sent["TxnTaxCodeRef"]["value"]}, **out}
    return out


def _automated_code(company: Company, state: str) -> dict[str, str]:
    """The automated code of a state; rates are a setting of the company, codes are made when first needed."""
    name = f"Automated {state or 'none'}"
    found = company.tables["TaxCode"].find("Name", name)
    if found:
        return {"value": found[0]}
    rate = Decimal(company.settings.automated_rates.get(state, company.settings.automated_rates.get("", "0")))
    return {"value": make_code(company, name, [(name, rate, None)])}


def _global_detail(
    company: Company, sent: Doc, lines: list[TaxedLine], discount: Decimal, calculation: str, *, purchase: bool
) -> Doc:
    subtotal = sum((line.amount for line in lines), ZERO)
    bases: dict[str, list[Any]] = {}
    for line in lines:
        if line.code is None:
            continue
        net = line.amount - (discount * line.amount / subtotal if discount and subtotal else ZERO)
        for rate in rates_of(company, line.code, purchase=purchase):
            slot = bases.setdefault(rate["Id"], [rate, ZERO, ZERO])
            slot[1] += net
            if calculation == "TaxInclusive" and line.gross is not None:
                slot[2] += line.gross - line.amount
            else:
                slot[2] += net * rate["RateValue"] / HUNDRED
    forced = {
        line["TaxLineDetail"]["TaxRateRef"]["value"]: line["Amount"]
        for line in sent.get("TaxLine", [])
        if line.get("Amount") is not None and (line.get("TaxLineDetail") or {}).get("TaxRateRef")
    }
    for rate_id in forced:
        if rate_id not in bases:
            raise Fault("6470", f"No line carries tax rate {rate_id}", "TxnTaxDetail.TaxLine")
    tax_lines = [
        _line(forced.get(rate_id, cents(tax)), rate, cents(base)) for rate_id, (rate, base, tax) in bases.items()
    ]
    computed = sum((line["Amount"] for line in tax_lines), ZERO)
    total: Decimal | None = sent.get("TotalTax")
    if total is not None and not forced and total != computed:
        _spread(tax_lines, total, computed)
        computed = total
    detail: Doc = {"TotalTax": computed}
    if tax_lines:
        detail["TaxLine"] = tax_lines
    return detail


def payable_entries(company: Company, detail: Doc) -> list[tuple[str, Decimal]]:
    """(liability account, tax) for each tax line; tax without lines goes to the company's general tax payable."""
    entries: list[tuple[str, Decimal]] = []
    for line in detail.get("TaxLine", []):
        rate = company.get("TaxRate", line["TaxLineDetail"]["TaxRateRef"]["value"])
        agency = (rate or {}).get("AgencyRef", {}).get("value", "")
        entries.append((company.special.get(f"payable:{agency}", company.special["tax_payable"]), line["Amount"]))
    rest = detail.get("TotalTax", ZERO) - sum((amount for _, amount in entries), ZERO)
    if rest:
        entries.append((company.special["tax_payable"], rest))
    return entries
