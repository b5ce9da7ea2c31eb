"""Phone, email and addresses of a customer, where the ledger follows the orders (domain reference, section 16.8)."""

from common.messages.orders import Address
from common.messages.transactions import CustomerWanted
from ledger_writer.planning.model import Desired, Written

_NO_ADDRESS = Address()


def follows_orders(wanted: object) -> bool:
    return isinstance(wanted, CustomerWanted) and wanted.contact_at is not None


def has_new_contact(desired: Desired, written: Written) -> bool:
    """Whether the ledger's customer may have another contact than the newest order."""
    is_other = desired.unanswered or desired.content_hash != written.content_hash
    return follows_orders(desired.wanted) and is_other


def followed(stored: CustomerWanted, order: CustomerWanted, *, settled: bool) -> CustomerWanted:
    """The customer once this order is known too, in whatever order they come.

    The newer of the two says what the contact is, the older one only what the newer leaves empty. `settled`: it is in
    the ledger or a person decided about it, and nothing but the contact is taken from the order.
    """
    if stored.contact_at is None or order.contact_at is None:
        # What is stored is of the order that asked first, and need not be what the ledger has.
        newer, older, moment = order, order, order.contact_at
    elif order.contact_at < stored.contact_at:
        newer, older, moment = stored, order, stored.contact_at
    else:
        newer, older, moment = order, stored, order.contact_at
    return (stored if settled else order).model_copy(
        update={
            "email": newer.email or older.email,
            "phone": newer.phone or older.phone,
            "billing_address": _stated(newer.billing_address) or older.billing_address,
            "shipping_address": _stated(newer.shipping_address) or older.shipping_address,
            "contact_at": moment,
        }
    )


def _stated(address: Address | None) -> Address | None:
    return None if address == _NO_ADDRESS else address
