"""What one company file allows: read once from its preferences, kept as text by the lane, used by every body."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts about a company that decide how a document must look. Defaults are those of a new US company."""

    home_currency: str = "USD"
    country: str = "US"
    multi_currency: bool = False
    custom_numbers: bool = False
    uses_sales_tax: bool = True
    automatic_tax: bool = False
    allow_discount: bool = True
    allow_shipping: bool = False
    class_per_line: bool = False
    class_per_form: bool = False
    departments: bool = False
    closed_through: date | None = None
    custom_fields: str = ""
    """Names of the defined sales custom fields with their numbers: `1=Crew #|2=Sales Rep`."""

    @property
    def united_states(self) -> bool:
        """US companies tax lines with TAX and NON and pick the rate for the whole document."""
        return self.country in ("US", "USA", "")

    @property
    def custom_field_ids(self) -> dict[str, str]:
        """Custom field name, case-folded → DefinitionId."""
        pairs = (part.partition("=") for part in self.custom_fields.split("|") if part)
        return {name.strip().casefold(): number for number, _, name in pairs}

    def as_text(self) -> dict[str, str]:
        """The form in which a lane keeps it (`CompanyFile.preferences`)."""
        return {
            name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in asdict(self).items()
        }


def from_preferences(preferences: Mapping[str, Any], company: Mapping[str, Any]) -> Profile:
    """Read the Preferences and CompanyInfo objects of the ledger."""
    sales = _group(preferences, "SalesFormsPrefs")
    accounting = _group(preferences, "AccountingInfoPrefs")
    currency = _group(preferences, "CurrencyPrefs")
    tax = _group(preferences, "TaxPrefs")
    closed = str(accounting.get("BookCloseDate") or "")
    return Profile(
        home_currency=str(_group(currency, "HomeCurrency").get("value") or "USD"),
        country=_country(company),
        multi_currency=currency.get("MultiCurrencyEnabled") is True,
        custom_numbers=sales.get("CustomTxnNumbers") is True,
        uses_sales_tax=tax.get("UsingSalesTax") is True,
        automatic_tax=tax.get("PartnerTaxEnabled") is True,
        allow_discount=sales.get("AllowDiscount") is True,
        allow_shipping=sales.get("AllowShipping") is True,
        class_per_line=accounting.get("ClassTrackingPerTxnLine") is True,
        class_per_form=accounting.get("ClassTrackingPerTxn") is True,
        departments=accounting.get("TrackDepartments") is True,
        closed_through=date.fromisoformat(closed[:10]) if closed else None,
        custom_fields=_custom_fields(sales),
    )


def _group(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def _country(company: Mapping[str, Any]) -> str:
    country = str(company.get("Country") or "").upper()
    return {"USA": "US", "UNITED STATES": "US", "": "US"}.get(country, country)


def _custom_fields(sales: Mapping[str, Any]) -> str:
    """Defined fields as `1=Name|2=Name`. The preferences list switches and names as two separate entries."""
    flat: dict[str, Any] = {}
    for group in sales.get("CustomField") or ():
        for entry in group.get("CustomField") or ():
            flat[str(entry.get("Name", ""))] = entry.get("BooleanValue", entry.get("StringValue"))
    defined = []
    for number in "123":
        name = flat.get(f"SalesFormsPrefs.SalesCustomName{number}")
        if name and flat.get(f"SalesFormsPrefs.UseSalesCustom{number}") is not False:
            defined.append(f"{number}={str(name).replace('|', ' ')}")
    return "|".join(defined)
