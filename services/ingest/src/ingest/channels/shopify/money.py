"""Which of Shopify's two currencies an order is booked in, and amounts read in that currency."""

from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.channels.shopify.wire import ShopifyOrder
from ingest.errors import NormalizationError
from ingest.totals import amount, known_currency


class Book:
    """Reads amounts of one order in one currency: the buyer's, or the shop's where the connection asks for it."""

    def __init__(self, order: ShopifyOrder, *, store_currency: bool) -> None:
        shop = known_currency(order.currency, "currency")
        buyer = known_currency(order.presentment_currency or shop, "presentment_currency")
        self.currency = shop if store_currency else buyer
        self.shop_currency = shop
        self._plain_is_ours = self.currency == shop
        """Plain amounts are in the shop's currency; only bags know the buyer's."""
        self._side = "shop_money" if self._plain_is_ours else "presentment_money"

    def read(self, plain: Decimal | None, bag: Any, field: str) -> Decimal:
        """An amount that must be there. Raises `NormalizationError` where the currency we book in is not stated."""
        value = self.find(plain, bag, field)
        if value is None:
            raise NormalizationError(field, None, f"fetch the order again with amounts in {self.currency}")
        return value

    def find(self, plain: Decimal | None, bag: Any, field: str) -> Decimal | None:
        """An amount that may be missing."""
        if self._plain_is_ours and plain is not None:
            return amount(plain, self.currency, field)
        side = bag.get(self._side) if isinstance(bag, dict) else None
        if not isinstance(side, dict):
            return None
        try:
            return amount(Decimal(str(side.get("amount"))), self.currency, field)
        except InvalidOperation as error:
            raise NormalizationError(field, side.get("amount"), "correct the amount in the channel") from error

    def find_or_zero(self, plain: Decimal | None, bag: Any, field: str) -> Decimal:
        value = self.find(plain, bag, field)
        return amount(Decimal(0), self.currency, field) if value is None else value

    def moved(self, plain: Decimal, bag: Any, currency: str | None, field: str) -> Decimal:
        """Amount of a transaction, which names its own currency. Raises where that is not the one we book in."""
        if currency is None or currency == self.currency:
            return amount(plain, self.currency, field)
        value = self.find(None, bag, field)
        if value is not None:
            return value
        raise NormalizationError(
            field,
            currency,
            "book this connection in the shop's currency, or fetch the transactions with both currencies",
            code="CURRENCY_MISMATCH",
            text=f"a payment is in {currency} and the order is booked in {self.currency}",
        )
