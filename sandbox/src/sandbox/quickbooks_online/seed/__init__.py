"""Seeded companies: a US sandbox with history, one with automated tax, one in pounds with several currencies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.accounting.currency import NAMES
from sandbox.quickbooks_online.company import Company, CompanySettings
from sandbox.quickbooks_online.entities.tax_lists import head, make_code, make_rate
from sandbox.quickbooks_online.seed.chart import seed_chart
from sandbox.quickbooks_online.seed.goods import PAYMENT_METHODS, TERMS, company_info, item_bodies, preferences
from sandbox.quickbooks_online.seed.history import seed_history
from sandbox.quickbooks_online.seed.people import customer_bodies, vendor_bodies
from sandbox.quickbooks_online.server import Server

REALMS = ("9341450000000001", "9341450000000002", "9341450000000003")
SEED_AGE = timedelta(days=400)
STOCK_START = "2015-01-01"
_DOLLARS = {"USD": "1", "CAD": "0.74", "EUR": "1.08", "GBP": "1.27"}


def seed_realms(server: Server) -> None:
    """The three standing companies."""
    us, automated, pounds = REALMS
    server.add(new_company(server, us, CompanySettings(), "full"))
    harbor = CompanySettings(name="Harbor Street Supply", tax_model="us_automated")
    server.add(new_company(server, automated, harbor, "small"))
    thornbury = CompanySettings(
        name="Thornbury & Vale Ltd", country="GB", home_currency="GBP", tax_model="global", multi_currency=True
    )
    server.add(new_company(server, pounds, thornbury, "small"))


def new_company(server: Server, realm: str, settings: CompanySettings, seed: str) -> Company:
    """A company with chart, lists and preferences; ``seed``: "small", or "full" with people, goods and history.

    Its objects are over a year old, so that change feeds start empty. Raises ``ValueError`` for another seed.
    """
    if seed not in ("small", "full"):
        raise ValueError(f"seed {seed!r} is not one of small, full")
    offset = server.clock.offset
    server.clock.offset = offset - SEED_AGE
    try:
        return _seeded(Company(realm, settings, server.clock), crew=seed == "full")
    finally:
        server.clock.offset = offset


def _seeded(company: Company, *, crew: bool) -> Company:
    company.special["custom_field_1"] = "Crew #" if crew else ""
    company.special["default_item"] = "1"
    company.special["default_tax_code"] = "2"
    with company.step():
        seed_chart(company)
        _singles(company, crew=crew)
        _small_lists(company)
        _taxes(company)
        with numbered(company, "Item"):
            for identifier, body in item_bodies(STOCK_START):
                if crew or identifier in ("1", "2", "11"):
                    saved(company, "Item", identifier, body)
        if crew:
            with numbered(company, "Customer"):
                for identifier, body in customer_bodies():
                    saved(company, "Customer", identifier, body)
                for identifier, body in vendor_bodies():
                    saved(company, "Vendor", identifier, body)
        company.sequences["name"] = max(company.sequences.get("name", 0), 70 if crew else 0)
    if crew:
        seed_history(company)
    return company


@contextmanager
def numbered(company: Company, entity: str) -> Iterator[None]:
    """Inside, ``saved`` chooses ids; afterwards the sequence goes on above the highest."""
    key = "name" if entity == "Customer" else entity
    highest = company.sequences.get(key, 0)
    yield
    table = company.tables[entity]
    numbers = [int(identifier) for _, identifier in table.ids if identifier.isdigit()]
    company.sequences[key] = max([highest, *numbers])


def saved(company: Company, entity: str, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create an object through the ordinary rules under a chosen id."""
    key = "name" if entity in ("Customer", "Vendor", "Employee") else entity
    company.sequences[key] = int(identifier) - 1
    return operations.save(company, entity, body)


def _singles(company: Company, *, crew: bool) -> None:
    settings = company.settings
    base = head(company, "Preferences", "1")
    company.put(
        "Preferences",
        {
            **preferences(
                settings.name,
                settings.home_currency,
                settings.tax_model,
                multi_currency=settings.multi_currency,
                crew=crew,
            ),
            **base,
        },
    )
    base = head(company, "CompanyInfo", "1")
    info = company_info(settings.name, settings.country, base["MetaData"]["CreateTime"])
    company.put("CompanyInfo", {**info, **base})


def _small_lists(company: Company) -> None:
    for identifier, (name, days) in TERMS.items():
        saved(company, "Term", identifier, {"Name": name, "DueDays": days})
    for identifier, (name, kind) in PAYMENT_METHODS.items():
        saved(company, "PaymentMethod", identifier, {"Name": name, "Type": kind})
    home = company.settings.home_currency
    for code in ("CAD", "EUR", "GBP", "USD"):
        if code == home:
            continue
        base = head(company, "CompanyCurrency")
        company.put("CompanyCurrency", {"Code": code, "Name": NAMES[code], "Active": True, **base})
        rate = (Decimal(_DOLLARS[code]) / Decimal(_DOLLARS.get(home, "1"))).quantize(Decimal("0.0001"))
        operations.save(company, "ExchangeRate", {"SourceCurrencyCode": code, "Rate": rate, "AsOfDate": STOCK_START})


def _taxes(company: Company) -> None:
    if company.settings.tax_model.startswith("us"):
        for identifier, name in (("1", "Board of Equalization"), ("2", "Arizona Dept. of Revenue")):
            saved(company, "TaxAgency", identifier, {"DisplayName": name})
        make_rate(company, "AZ State tax", Decimal("7.1"), "2", identifier="1")
        make_rate(company, "Tucson City", Decimal(2), "2", identifier="2")
        make_rate(company, "California", Decimal(8), "1", identifier="3")
        make_code(company, "California", [], identifier="2", existing=[("3", "Sales")])
        make_code(company, "Tucson", [], identifier="3", existing=[("1", "Sales"), ("2", "Sales")])
        for name, taxable, group in (("TAX", True, False), ("NON", False, False), ("CustomSalesTax", True, True)):
            base = head(company, "TaxCode", name)
            code = {"Name": name, "Description": name, "Active": True, "Taxable": taxable, "TaxGroup": group}
            company.put("TaxCode", {**code, **base})
        return
    saved(company, "TaxAgency", "1", {"DisplayName": "HM Revenue & Customs", "TaxTrackedOnPurchases": True})
    for number, (name, value) in enumerate((("20.0% S", "20"), ("5.0% R", "5"), ("0.0% Z", "0"), ("Exempt", "0")), 1):
        sales = make_rate(company, f"{name} (Sales)", Decimal(value), "1", identifier=str(2 * number - 1))
        purchase = make_rate(company, f"{name} (Purchases)", Decimal(value), "1", identifier=str(2 * number))
        make_code(company, name, [], identifier=str(number + 1), existing=[(sales, "Sales"), (purchase, "Purchase")])
