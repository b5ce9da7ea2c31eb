"""How much was written to a company file, for limits of use (domain reference, section 6)."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import Query

from api.routes.base import Deps, router
from api.routes.companies import own
from api.security import Reader
from api.views.books import Usage, UsageMonth
from common.cures import FieldProblem
from common.internal.ledger_writer import UsageCounts
from common.messages.transactions import DocumentKind
from common.problems import Problem

routes = router("books")

MONTHS: Final = 12
"""How many months there are without `from`."""
MONTHS_MAX: Final = 120


@routes.get("/companies/{company_id}/usage", operation_id="get_usage")
async def get_usage(
    company_id: str,
    caller: Reader,
    deps: Deps,
    first: Annotated[
        date | None, Query(alias="from", description="A day of the first month; without: eleven months before `to`.")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="A day of the last month; without: today.")] = None,
) -> Usage:
    """Documents that were written to the company file, by the month (in UTC) in which each was first written.

    Each counts once: sales orders, estimates, invoices, receipts, credit memos, refund receipts, purchase orders,
    bills, expenses, journal entries, deposits, and a summary as one. An invoice with its payments is one, as payments
    and money that goes back against a credit memo are not counted; a sales order and its invoice are two. Nothing
    counts that was found in the ledger or linked by hand, or was never written. What was changed, voided or unlinked
    later stays counted.
    """
    await own(deps, caller, company_id)
    months = months_of(first, last, datetime.now(UTC).date())
    answer = await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}/usage",
        UsageCounts,
        tenant_id=caller.tenant_id,
        first=months[0].isoformat(),
        last=months[-1].isoformat(),
    )
    kinds: dict[date, dict[DocumentKind, int]] = defaultdict(dict)
    for count in answer.counts:
        kinds[count.month][count.kind] = count.documents
    shown = [UsageMonth(month=one, documents=sum(kinds[one].values()), kinds=kinds[one]) for one in months]
    return Usage(company_id=company_id, months=shown)


def months_of(first: date | None, last: date | None, today: date) -> list[date]:
    """First days of the months asked for, oldest first. Raises a 422 problem where they are none or too many."""
    end = _count(last or today)
    begin = max(end - MONTHS + 1, _count(date.min)) if first is None else _count(first)
    if begin <= end < begin + MONTHS_MAX:
        return [date(month // 12, month % 12 + 1, 1) for month in range(begin, end + 1)]
    cure = "give a day that is not after `to`" if begin > end else f"ask for {MONTHS_MAX} months at most"
    wrong = FieldProblem(field="query.from", value=str(first), cure=cure)
    raise Problem(422, "MONTHS_INVALID", "the months can't be listed", cure=cure, errors=[wrong])


def _count(day: date) -> int:
    """Months up to that of the day."""
    return day.year * 12 + day.month - 1
