"""What Amazon's words in a settlement report mean for the books. Pure.

The set of words is open. A description that no table knows becomes an adjustment under its own name, so that the
settlement is held until somebody says which account it goes to; nothing is guessed.
"""

from decimal import Decimal
from typing import Final

_PRICES: Final = {
    "principal": "Principal",
    "tax": "Tax",
    "shippingtax": "Tax",
    "giftwraptax": "Tax",
    "shipping": "Shipping",
    "giftwrap": "Gift wrap",
    "goodwill": "Goodwill",
    "restockingfee": "Restocking fee",
    "cod": "Cash on delivery",
    "codtax": "Tax",
}
_REFUNDED: Final = {"Principal": "Refund", "Shipping": "Refunded shipping", "Gift wrap": "Refunded gift wrap"}
_FEES: Final = {
    "commission": "Commission",
    "refundcommission": "Commission",
    "variableclosingfee": "Commission",
    "fixedclosingfee": "Commission",
    "fbaperunitfulfillmentfee": "Fulfilment",
    "fbaperorderfulfillmentfee": "Fulfilment",
    "fbaweightbasedfee": "Fulfilment",
    "shippingchargeback": "Shipping chargeback",
    "giftwrapchargeback": "Gift wrap chargeback",
    "shippinghb": "Shipping holdback",
}
_OTHER: Final = {
    "subscription fee": ("fee", "Subscription"),
    "storage fee": ("fee", "Storage"),
    "storagerenewalbilling": ("fee", "Storage"),
    "fbalongtermstoragefee": ("fee", "Storage"),
    "disposalcomplete": ("fee", "Disposal"),
    "removalcomplete": ("fee", "Removal"),
    "inbound transportation fee": ("fee", "Inbound transport"),
    "current reserve amount": ("reserve_held", "Reserve"),
    "previous reserve amount balance": ("reserve_released", "Previous reserve"),
    "payable to amazon": ("carried_forward", "Payable to Amazon"),
    "successful charge": ("carried_forward", "Charged by Amazon"),
}


def meaning(transaction: str, amount_type: str, description: str, amount: Decimal) -> tuple[str, str]:
    """(kind of line, description) of one row."""
    word, kind_of_amount = description.lower(), amount_type.lower()
    kind = _kind_of(transaction.lower())
    if kind_of_amount == "itemprice":
        title = _PRICES.get(word)
        if title is None:
            return "adjustment", f"{amount_type}: {description}"
        return kind, _REFUNDED.get(title, title) if kind != "charge" else title
    if kind_of_amount == "promotion":
        return kind, "Promotion"
    if kind_of_amount == "itemwithheldtax":
        return kind, "Tax withheld"
    if kind_of_amount == "itemfees":
        return "fee", _FEES.get(word, description)
    if kind_of_amount == "cost of advertising":
        return "fee", "Advertising"
    found = _OTHER.get(word)
    if found is not None:
        return _turned(found[0], amount), found[1]
    if transaction.lower() in {"servicefee", "couponredemptionfee"}:
        return "fee", description or amount_type
    return "adjustment", f"{amount_type}: {description}" if amount_type.lower() != "other-transaction" else description


def _kind_of(transaction: str) -> str:
    if transaction in {"chargeback refund", "a-to-z guarantee refund"}:
        return "chargeback"
    return "refund" if "refund" in transaction else "charge"


def _turned(kind: str, amount: Decimal) -> str:
    """A reserve's row can be a correction of the other direction."""
    if kind == "reserve_held" and amount > 0:
        return "reserve_released"
    return "reserve_held" if kind == "reserve_released" and amount < 0 else kind
