"""Which tenders a refund went back to, for channels that state only its amount. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.orders import RefundTransaction, Tender, TenderKind, TenderStatus
from common.money import ZERO
from ingest.text import identifier


class Returns:
    """Hands refunds out to the tenders of one order, oldest refund first.

    A tender the channel names is used first; then money before gift cards, as shops do; never more to a tender than
    it gave. What no tender covers stays without one, so that nothing is lost: mapping sees it and says so.
    """

    def __init__(self, tenders: Sequence[Tender]) -> None:
        captured = [tender for tender in tenders if tender.status is TenderStatus.CAPTURED]
        self._tenders = sorted(captured, key=lambda tender: tender.kind is not TenderKind.MONEY)
        self._left = {tender.external_id: tender.amount for tender in captured}

    def give(
        self, refund_id: str, amount: Decimal, *, preferred: str | None = None, method: str = "", reference: str = ""
    ) -> tuple[RefundTransaction, ...]:
        """The transactions of one refund; a single one keeps the refund's own id."""
        order = sorted(self._tenders, key=lambda tender: tender.external_id != preferred)
        shares: list[tuple[Tender | None, Decimal]] = []
        open_amount = amount
        for tender in order:
            share = min(open_amount, self._left[tender.external_id])
            if share > 0:
                self._left[tender.external_id] -= share
                open_amount -= share
                shares.append((tender, share))
        if open_amount > ZERO:
            shares.append((None, open_amount))
        return tuple(
            RefundTransaction(
                external_id=identifier(refund_id if len(shares) == 1 else f"{refund_id}:{number}"),
                method=tender.method if tender else method or "unknown",
                kind=tender.kind if tender else TenderKind.MONEY,
                amount=share,
                reference=reference,
                tender_external_id=tender.external_id if tender else None,
            )
            for number, (tender, share) in enumerate(shares, start=1)
        )
