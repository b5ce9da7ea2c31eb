"""The clearing-account report: per payment its age, its payout, and why its money is still there."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Query

from api.ids import order_id
from api.routes import companies as company_routes
from api.routes.base import Deps, Gateway, after_moment, following, router
from api.routes.ledger_links import with_urls
from api.routes.settings_gate import connection_settings
from api.security import Reader
from api.store import clearing as store
from api.store import connections, documents
from api.views.base import PAGE_DEFAULT, Cursor
from api.views.books import ClearingAge, ClearingItem, ClearingReport, ClearingStatus
from common.internal.mapper_checks import MoneyAnswer, MoneyDocument, MoneyPlace, MoneyQuestion
from common.messages.base import Reason, Severity
from common.messages.transactions import AccountRole, SetOutcome

routes = router("books")

_BANK = AccountRole.BANK.value
_LIMIT_MAX = 200


@routes.get("/companies/{company_id}/clearing", operation_id="get_clearing")
async def get_clearing(
    company_id: str,
    caller: Reader,
    deps: Deps,
    connection_id: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=_LIMIT_MAX)] = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> ClearingReport:
    """Money that was received in the ledger and not deposited yet, oldest first, with the reason for each."""
    await company_routes.own(deps, caller, company_id)
    today = datetime.now(UTC).date()
    after = after_moment("clearing", cursor)
    position = (after[0].date(), after[1]) if after else None
    rows = await store.page(deps.pool, caller.tenant_id, company_id, position, limit, connection_id)
    await with_urls(deps, caller.tenant_id, rows)
    places = await _places(deps, caller.tenant_id, company_id, rows)
    switched_off = await _switched_off(deps, caller.tenant_id, {row["connection_id"] for row in rows})
    ages = await store.ages(deps.pool, caller.tenant_id, company_id, today)
    deposits = [place.deposit_key for place in places.values() if place.deposit_key]
    waiting = {row["document_key"]: row for row in await documents.some(deps.pool, caller.tenant_id, deposits)}
    keyed = [{**row, "day": datetime(row["date"].year, row["date"].month, row["date"].day, tzinfo=UTC)} for row in rows]
    return ClearingReport(
        company_id=company_id,
        as_of=today,
        ages=[ClearingAge(currency=row["currency"], age=row["bucket"], **_sums(row)) for row in ages],
        items=[
            _item(row, places[row["document_key"]], today, row["connection_id"] in switched_off, waiting)
            for row in rows
            if row["document_key"] in places and places[row["document_key"]].account_role != _BANK
        ],
        next_cursor=following("clearing", keyed, limit, "day", "document_key"),
    )


async def _places(deps: Gateway, tenant_id: str, company_id: str, rows: list[dict[str, Any]]) -> dict[str, MoneyPlace]:
    if not rows:
        return {}
    asked = MoneyQuestion(
        tenant_id=tenant_id,
        company_id=company_id,
        documents=tuple(
            MoneyDocument(
                document_key=row["document_key"],
                connection_id=row["connection_id"],
                source_kind=row["source_kind"],
                source_id=row["source_id"],
            )
            for row in rows
        ),
    )
    answer = await deps.services.mapper.post("/internal/money", asked, MoneyAnswer)
    return {place.document_key: place for place in answer.places}


async def _switched_off(deps: Gateway, tenant_id: str, connection_ids: set[str]) -> set[str]:
    """Connections whose payouts are not fetched."""
    off = set()
    for connection_id in connection_ids:
        row = await connections.one(deps.pool, tenant_id, connection_id)
        if row is None or row["settings"] is None or not connection_settings(row["settings"]).payouts.enabled:
            off.add(connection_id)
    return off


def _item(
    row: dict[str, Any], place: MoneyPlace, today: date, off: bool, waiting: dict[str, dict[str, Any]]
) -> ClearingItem:
    is_order = row["source_kind"] == "order"
    status, reason = _why(place, off, waiting, is_summary=row["source_kind"] == "summary")
    return ClearingItem(
        document_key=row["document_key"],
        kind=row["kind"],
        number=row["number"],
        order_id=order_id(f"{row['connection_id']}/{row['source_id']}") if is_order else None,
        order_number=row["source_number"],
        date=row["date"],
        age_days=max(0, (today - row["date"]).days),
        currency=row["currency"],
        amount=row["amount"],
        account=place.account,
        account_role=place.account_role,
        method=place.method,
        reference=place.reference,
        status=status,
        reason=reason,
        payout_id=place.payout_id,
        payout_on=place.payout_on,
        ledger_id=row["ledger_id"],
        ledger_url=row["ledger_url"],
    )


def _why(
    place: MoneyPlace, off: bool, waiting: dict[str, dict[str, Any]], *, is_summary: bool
) -> tuple[ClearingStatus, Reason | None]:
    """Why money is still in a clearing account: the furthest that its payout has come."""
    if is_summary:
        return ClearingStatus.BY_HAND, _reason(
            "SUMMARY_NOT_DEPOSITED",
            "A summary is the money of many orders: no payout takes it out of the account.",
            "Deposit it by hand, or choose a mode with documents of each order for what payouts are to deposit.",
        )
    if place.deposit_key is not None:
        deposit = waiting.get(place.deposit_key)
        return ClearingStatus.DEPOSIT_WAITING, (deposit["reason"] if deposit else None) or place.deposit_hold
    if place.payout_outcome is SetOutcome.FILTERED or (off and place.payout_id is None):
        return ClearingStatus.PAYOUTS_OFF, place.payout_reason or _reason(
            "PAYOUTS_OFF",
            "Payouts of the connection are switched off, so nothing takes this money out of the account.",
            "Switch payouts on, or deposit by hand.",
        )
    if place.payout_id is not None:
        return ClearingStatus.PAYOUT_INCOMPLETE, place.payout_reason
    return ClearingStatus.AWAITING_PAYOUT, _reason(
        "AWAITING_PAYOUT_REPORT",
        "No payout that speaks of this payment has been reported yet.",
        "Wait for the payout, or upload the processor's payout report.",
    )


def _reason(code: str, text: str, cure: str) -> Reason:
    return Reason(code=code, text=text, cure=cure, severity=Severity.WARNING)


def _sums(row: dict[str, Any]) -> dict[str, Any]:
    return {"documents": row["documents"], "amount": row["amount"]}
