"""Amazon's settlement report, flat file V2: one settlement, a hundred thousand rows or three. Pure.

Read row by row. What belongs together (kind, description, order, day) becomes one line, so that a line's amount is what
the order brought and the size of a payout follows its orders, not its rows; a settlement with more than `LINES_MAX`
of them is summed up by day alone, which is all that a journal entry needs.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from common.messages.orders import Payout, PayoutLine
from ingest.channel import Account
from ingest.errors import NormalizationError
from ingest.payout_lines import PAID, in_places, payout_currency
from ingest.payout_parts import PayoutParts
from ingest.text import short
from ingest.totals import ZERO, local_date
from ingest.uploads.file import ID_PATTERN, CutPayout, FileFormat, FileRefused, Row, lines_of
from ingest.uploads.settlement_words import meaning

NAME: Final = "amazon_settlement_v2"
PROCESSOR: Final = "amazon"
LINES_MAX: Final = 20_000
REQUIRED: Final = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "amount-type", "amount-description", "amount", "posted-date",
)  # fmt: skip
_V1_ONLY: Final = "price-type"
_CURE: Final = "upload the report as Amazon wrote it: Settlement Report, flat file V2"
_DOTTED_DAY: Final = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(.*)")
Key = tuple[str, str, str, date]


def cut(raw: bytes, parameters: Mapping[str, str]) -> tuple[CutPayout, ...]:  # noqa: ARG001
    """The settlement of the file. Raises `FileRefused` naming the column that is missing."""
    rows = _rows(raw)
    summary = next(rows, None)
    if summary is None:
        raise FileRefused("the report has no rows below its header", "file", cure=_CURE)
    settlement_id = summary["settlement-id"]
    if not ID_PATTERN.fullmatch(settlement_id):
        raise FileRefused(
            f"row {summary.number}: {settlement_id[:80]!r} is no settlement id", "settlement-id", settlement_id, _CURE
        )
    for row in rows:
        if row["settlement-id"] != settlement_id:
            raise FileRefused(
                f"row {row.number} belongs to another settlement", "settlement-id", row["settlement-id"],
                "upload one settlement at a time",
            )  # fmt: skip
    return (CutPayout(settlement_id, raw),)


def _rows(raw: bytes) -> Iterator[Row]:
    # Older reports are in the marketplace's own encoding; ids, amounts and column names are ASCII in all of them.
    lines = lines_of(raw, strict=False)
    first = next(lines, None)
    if first is None:
        raise FileRefused("the file is empty", "file", cure=_CURE)
    header = [name.strip().lower() for name in first[1].split("\t")]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        older = " (it is the older layout V1, which Amazon no longer makes)" if _V1_ONLY in header else ""
        raise FileRefused(f"the report has no column {missing[0]}{older}", missing[0], cure=_CURE)
    for number, line in lines:
        # Short rows are normal: trailing empty columns are left out.
        yield Row(number, dict(zip(header, (cell.strip() for cell in line.split("\t")), strict=False)))


def normalize(parts: PayoutParts, account: Account) -> Payout:
    """One settlement. Raises `NormalizationError` naming row and column."""
    try:
        return _normalize(parts, account)
    except FileRefused as error:
        raise NormalizationError(error.field, error.value, error.cure or _CURE, text=error.text) from error


def _normalize(parts: PayoutParts, account: Account) -> Payout:
    rows = _rows(parts.file())
    summary = next(rows)
    currency = payout_currency(summary["currency"])
    is_comma = "," in summary["total-amount"] or _DOTTED_DAY.match(summary["settlement-start-date"]) is not None
    by_order: dict[Key, Decimal] = {}
    by_day: dict[Key, Decimal] = {}
    for row in rows:
        amount = _amount(row, "amount", currency, is_comma=is_comma)
        kind, description = meaning(row["transaction-type"], row["amount-type"], row["amount-description"], amount)
        on = local_date(_moment(row, "posted-date-time" if row["posted-date-time"] else "posted-date"), account.zone)
        if len(by_order) <= LINES_MAX:
            key = (kind, description, row["order-id"], on)
            by_order[key] = by_order.get(key, ZERO) + amount
        key = (kind, description, "", on)
        by_day[key] = by_day.get(key, ZERO) + amount
    sums = by_order if len(by_order) <= LINES_MAX else by_day
    none = in_places(ZERO, currency, "amount")
    return Payout(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=parts.payout_id,
        processor=PROCESSOR,
        currency=currency,
        paid_on=_moment(summary, "deposit-date").date(),
        period_start=_moment(summary, "settlement-start-date").date(),
        period_end=_moment(summary, "settlement-end-date").date(),
        status=PAID,
        net=_amount(summary, "total-amount", currency, is_comma=is_comma),
        lines=tuple(
            PayoutLine(
                external_id=str(number),
                kind=kind,
                amount=amount,
                fee=none,
                order_number=short(order),
                description=short(description),
                occurred_on=on,
            )
            for number, ((kind, description, order, on), amount) in enumerate(sums.items(), start=1)
        ),
    )


def _amount(row: Row, column: str, currency: str, *, is_comma: bool) -> Decimal:
    text = row[column].replace(".", "").replace(",", ".") if is_comma else row[column].replace(",", "")
    if not re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]{1,4})?", text):
        raise row.refusal(column, "which is no amount", _CURE, "UNREADABLE_AMOUNT")
    return in_places(Decimal(text), currency, f"row {row.number}, column {column}")


def _moment(row: Row, column: str) -> datetime:
    """A time as the marketplaces write it: ISO or with dots, with `UTC`, an offset, or neither (UTC)."""
    text = row[column]
    dotted = _DOTTED_DAY.match(text)
    if dotted is not None:
        text = f"{dotted[3]}-{dotted[2]}-{dotted[1]}{dotted[4]}"
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC").replace("/", "-"))
    except ValueError:
        raise row.refusal(column, "which is no time", _CURE) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


FORMAT = FileFormat(NAME, "Amazon settlement report (flat file V2)", cut, normalize)
