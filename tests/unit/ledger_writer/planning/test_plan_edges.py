"""What documents of one batch know of each other before they are written."""

from decimal import Decimal
from typing import Any

from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.planning.plan import ahead


def test_what_is_about_to_be_created_is_known_by_its_total_rate_or_name(make: Any) -> None:
    plain = make.document()
    assert ahead("k", plain) == LedgerLink("k", total=Decimal("77.00"))
    foreign = make.document(exchange_rate=Decimal("1.10"))
    assert ahead("k", foreign) == LedgerLink("k", total=Decimal("77.00"), details={"rate": "1.10"})
    assert ahead("k", make.CUSTOMER) == LedgerLink("k", name="Jane Roe")
    assert ahead("k", make.ITEM) == LedgerLink("k", name="Mug")
