"""Who buys and what is sold: products and customers drawn from a seed."""

from __future__ import annotations

from random import Random
from typing import Final

from sandbox.shops.shop import Shop, TaxClass
from sandbox.shops.state import Customer, Product

GOODS: Final[tuple[tuple[str, TaxClass, int, int], ...]] = (
    ("Enamel mug", "standard", 1290, 340),
    ("Walnut chopping board", "standard", 4495, 1200),
    ("Linen tea towel", "standard", 1650, 120),
    ("Cast-iron skillet", "standard", 5999, 2400),
    ("Beeswax candle", "standard", 899, 210),
    ("Wool blanket", "standard", 12900, 1800),
    ("Field guide to mosses", "reduced", 2475, 650),
    ("Notebook, dotted", "standard", 1105, 280),
    ("Roasted coffee 500 g", "reduced", 1533, 520),
    ("Café crème bowl", "standard", 1999, 400),
    ("Größenverstellbarer Gürtel", "standard", 3490, 260),
    ("抹茶 Matcha tin", "reduced", 2817, 90),
    ("Copper kettle", "standard", 8750, 1500),
    ("Postage stamp set", "none", 733, 20),
    ("Brass ruler", "standard", 2199, 150),
    ("Garden secateurs", "standard", 3825, 380),
)
VARIANTS: Final = (None, "Blue", "Large / Green", "Édition spéciale", None)
FIRST_NAMES: Final = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Esther",
    "Farouk",
    "Grace",
    "Håkon",
    "Inés",
    "Jun",
    "Katarzyna",
    "Liam",
    "Maëlle",
    "Nguyễn",
    "Oisín",
    "Priya",
    "Renée",
    "Søren",
    "Tomasz",
    "Úna",
    "Violet",
    "Wei",
    "Ximena",
    "Yūko",
    "Zoë",
    "李娜",
    "Олена",
)
LAST_NAMES: Final = (
    "Abara",
    "Brønsted",
    "Çelik",
    "D'Angelo",
    "Eriksson",
    "Fernández",
    "Goldberg",
    "Hübner",
    "Ito",
    "Jørgensen",
    "Kovač",
    "Łukasik",
    "Müller",
    "Nakamura",
    "O’Brien",
    "Petrović",
    "Quiñones",
    "Rossi",
    "Smith-Jones",
    "Takács",
    "Ólafsdóttir",
    "Vũ",
    "Williams",
    "Yamada",
    "Župančič",
    "王",
)
STREETS: Final = ("Mill Lane", "Harbour Street", "Rue des Écoles", "Gartenstraße", "Elm Avenue", "Quay Road")
COMPANIES: Final = ("Blue Door Studio", "Müller & Söhne", "Café Étoile", "Northwind Traders")


def make_products(shop: Shop, rng: Random, base_id: int, count: int) -> list[Product]:
    """Draw products with distinct ids; about one in nine has no SKU, as hand-made goods often have none."""
    products = []
    for index in range(count):
        title, tax_class, price, grams = GOODS[index % len(GOODS)]
        if index >= len(GOODS):
            title, price = f"{title} No. {index // len(GOODS) + 1}", price + 10 * (index // len(GOODS))
        unit = shop.price_unit
        price = max(unit, price * shop.price_scale // unit * unit)
        sku = "" if index % 9 == 8 else f"{title[:3].upper().strip()}-{rng.randrange(100, 1000)}-{index:03d}"
        variant = VARIANTS[index % len(VARIANTS)]
        products.append(
            Product(base_id + index, base_id + 500_000 + index, title, variant, sku, price, tax_class, grams)
        )
    return products


def make_gift_card(shop: Shop, base_id: int) -> Product:
    """The gift card on sale: 25.00, or 2,500 where there are no decimals."""
    price = 2500 * shop.price_scale
    return Product(base_id + 499_999, base_id + 999_999, "Gift card", None, "GIFT-25", price, "none", 0, gift_card=True)


def make_customers(shop: Shop, rng: Random, base_id: int, count: int) -> list[Customer]:
    """Draw customers; about one in four is a guest, one in six buys for a company."""
    customers = []
    for index in range(count):
        region = shop.regions[index % len(shop.regions)]
        city, postal_code = rng.choice(region.cities)
        customers.append(
            Customer(
                id=base_id + index,
                first_name=rng.choice(FIRST_NAMES),
                last_name=rng.choice(LAST_NAMES),
                company=rng.choice(COMPANIES) if index % 6 == 5 else None,
                email=f"buyer{index}.{base_id % 1000}@example.com",
                phone=f"+1555010{index % 10000:04d}",
                street=f"{rng.randrange(1, 200)} {rng.choice(STREETS)}",
                city=city,
                postal_code=postal_code,
                region=region,
                guest=index % 4 == 3,
            )
        )
    return customers
