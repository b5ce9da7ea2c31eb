"""The shops themselves: where they sell, in what currency, and which taxes apply there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sandbox.shops.pricing import Currency, TaxRate

Kind = Literal["shopify", "woocommerce", "custom"]
TaxClass = Literal["standard", "reduced", "none"]


@dataclass(frozen=True, slots=True)
class Region:
    """A place customers live in. `reduced` applies to reduced goods; where it is empty `standard` does."""

    country: str
    country_code: str
    province: str
    province_code: str
    cities: tuple[tuple[str, str], ...]
    standard: tuple[TaxRate, ...] = ()
    reduced: tuple[TaxRate, ...] = ()
    shipping_taxed: bool = False

    def rates(self, tax_class: TaxClass) -> tuple[TaxRate, ...]:
        """The taxes due on goods of a class sold to this place."""
        if tax_class == "none":
            return ()
        return self.reduced or self.standard if tax_class == "reduced" else self.standard

    def shipping_rates(self) -> tuple[TaxRate, ...]:
        """The taxes due on shipping to this place."""
        return self.standard if self.shipping_taxed else ()


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop. `taxes_included`: listed prices contain tax; `price_unit`: the step of its prices in minor units."""

    name: str
    domain: str
    currency: Currency
    country_code: str
    timezone: str
    taxes_included: bool
    regions: tuple[Region, ...]
    price_unit: int = 1
    price_scale: int = 1
    first_number: int = 1001

    def host(self, kind: Kind) -> str:
        """The name the shop answers to, which depends on its software; names of our own invention end in .example."""
        return self.domain if kind == "shopify" else f"{self.domain.split('.', 1)[0]}.{kind}.example"

    @property
    def zone(self) -> ZoneInfo:
        """The shop's own time zone, in which it writes its times and closes its days."""
        return ZoneInfo(self.timezone)


US: Final = Shop(
    name="Harbour & Pine",
    domain="harbour-pine.myshopify.com",
    currency=Currency("USD", 2),
    country_code="US",
    timezone="America/New_York",
    taxes_included=False,
    regions=(
        Region(
            "United States",
            "US",
            "California",
            "CA",
            (("Los Angeles", "90012"), ("Pasadena", "91101")),
            standard=(TaxRate(11, "California State Tax", 72_500), TaxRate(12, "Los Angeles County Tax", 22_500)),
        ),
        Region(
            "United States",
            "US",
            "New York",
            "NY",
            (("New York", "10001"), ("Brooklyn", "11201")),
            standard=(
                TaxRate(21, "New York State Tax", 40_000),
                TaxRate(22, "New York City Tax", 45_000),
                TaxRate(23, "Metropolitan Commuter Transportation District", 3_750),
            ),
            shipping_taxed=True,
        ),
        Region(
            "United States",
            "US",
            "Massachusetts",
            "MA",
            (("Boston", "02108"), ("Cambridge", "02139")),
            standard=(TaxRate(31, "Massachusetts State Tax", 62_500),),
        ),
        Region(
            "United States",
            "US",
            "Texas",
            "TX",
            (("Austin", "78701"), ("Dallas", "75201")),
            standard=(TaxRate(41, "Texas State Tax", 62_500), TaxRate(42, "Austin City Tax", 20_000)),
            shipping_taxed=True,
        ),
        Region("United States", "US", "Oregon", "OR", (("Portland", "97201"), ("Eugene", "97401"))),
    ),
)

EU: Final = Shop(
    name="Lindenhof Waren",
    domain="lindenhof-waren.myshopify.com",
    currency=Currency("EUR", 2),
    country_code="DE",
    timezone="Europe/Berlin",
    taxes_included=True,
    regions=(
        Region(
            "Germany",
            "DE",
            "Berlin",
            "BE",
            (("Berlin", "10115"), ("Berlin", "12043")),
            standard=(TaxRate(51, "MwSt", 190_000),),
            reduced=(TaxRate(52, "MwSt ermäßigt", 70_000),),
            shipping_taxed=True,
        ),
        Region(
            "France",
            "FR",
            "Île-de-France",
            "IDF",
            (("Paris", "75001"), ("Saint-Denis", "93200")),
            standard=(TaxRate(61, "TVA", 200_000),),
            reduced=(TaxRate(62, "TVA réduite", 55_000),),
            shipping_taxed=True,
        ),
        Region("Switzerland", "CH", "Zürich", "ZH", (("Zürich", "8001"), ("Winterthur", "8400"))),
    ),
    price_unit=5,
)

JP: Final = Shop(
    name="青山雑貨店",
    domain="aoyama-zakka.myshopify.com",
    currency=Currency("JPY", 0),
    country_code="JP",
    timezone="Asia/Tokyo",
    taxes_included=True,
    regions=(
        Region(
            "Japan",
            "JP",
            "Tōkyō",
            "JP-13",
            (("港区", "107-0062"), ("渋谷区", "150-0001")),
            standard=(TaxRate(71, "消費税", 100_000),),
            reduced=(TaxRate(72, "軽減税率", 80_000),),
            shipping_taxed=True,
        ),
        Region(
            "Japan",
            "JP",
            "Ōsaka",
            "JP-27",
            (("大阪市", "530-0001"),),
            standard=(TaxRate(71, "消費税", 100_000),),
            reduced=(TaxRate(72, "軽減税率", 80_000),),
            shipping_taxed=True,
        ),
    ),
    price_unit=10,
)

CA: Final = Shop(
    name="Maple & Twine",
    domain="maple-twine.myshopify.com",
    currency=Currency("CAD", 2),
    country_code="CA",
    timezone="America/Toronto",
    taxes_included=False,
    regions=(
        Region(
            "Canada",
            "CA",
            "Ontario",
            "ON",
            (("Toronto", "M5H 2N2"), ("Ottawa", "K1P 1J1")),
            standard=(TaxRate(81, "HST", 130_000),),
            shipping_taxed=True,
        ),
        Region(
            "Canada",
            "CA",
            "Québec",
            "QC",
            (("Montréal", "H2Y 1C6"), ("Québec", "G1R 4S9")),
            standard=(TaxRate(82, "GST", 50_000), TaxRate(83, "QST", 99_750)),
            shipping_taxed=True,
        ),
        Region(
            "Canada",
            "CA",
            "Alberta",
            "AB",
            (("Calgary", "T2P 2M5"),),
            standard=(TaxRate(82, "GST", 50_000),),
            shipping_taxed=True,
        ),
    ),
)

SHOPS: Final[dict[str, Shop]] = {"us": US, "eu": EU, "jp": JP, "ca": CA}


def shop_named(name: str) -> Shop:
    """Find a sample shop. Raises ValueError naming the shops there are."""
    try:
        return SHOPS[name]
    except KeyError:
        raise ValueError(f"shop: {name!r} is not a sample shop; use one of {', '.join(sorted(SHOPS))}") from None
