"""The payout CSV: what a processor without an API paid out, in columns that any spreadsheet can write. Pure.

`order_number`, `amount`, `fee` and `type` are required. Amounts are signed as the merchant sees them: refunds, fees and
chargebacks are negative; `fee` is what was kept back of the row's amount, positive. A file holds one payout, named by
the upload's parameters, or several, told apart by `payout_id`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from common.messages.orders import Payout, PayoutLine
from ingest.channel import Account
from ingest.errors import NormalizationError
from ingest.payout_lines import KINDS, PAID, in_places, net_of, payout_currency
from ingest.payout_parts import PayoutParts
from ingest.text import identifier, short
from ingest.totals import ZERO
from ingest.uploads.file import ID_PATTERN, PAYOUTS_MAX, CutPayout, FileFormat, FileRefused, Row, lines_of, packed

REQUIRED: Final = ("order_number", "amount", "fee", "type")
OF_THE_PAYOUT: Final = ("payout_id", "paid_on", "currency", "net", "processor")
OPTIONAL: Final = ("reference", "refund_id", "tender_id", "description", "occurred_on")
_COLUMNS: Final = (*REQUIRED, *OF_THE_PAYOUT, *OPTIONAL)
_NEEDED: Final = f"it needs the columns {', '.join(REQUIRED)}"
_MORE: Final = ", ".join((*OF_THE_PAYOUT, *OPTIONAL))
_OUTGOING: Final = frozenset({"refund", "chargeback", "dispute_fee", "reserve_held"})
ROWS_MAX: Final = 100_000
_AMOUNT_CHARS_MAX: Final = 24


def cut(raw: bytes, parameters: Mapping[str, str]) -> tuple[CutPayout, ...]:
    """One payout per `payout_id`. Raises `FileRefused` naming a column that is missing or unknown."""
    rows, delimiter, header = _table(raw)
    given = {name: parameters.get(name, "") for name in OF_THE_PAYOUT}
    for name in ("payout_id", "paid_on", "currency"):
        if name not in header and not given[name]:
            raise FileRefused(
                f"nothing says the {name} of the payout: the file has no column {name}, and the upload gives none",
                name, cure=f"add the column {name}, or the parameter {name}",
            )  # fmt: skip
    both = [name for name in OF_THE_PAYOUT if name in header and given[name]]
    if both:
        raise FileRefused(f"{both[0]} is a column of the file and a parameter too", both[0], given[both[0]], "keep one")
    groups: dict[str, list[Row]] = {}
    for row in rows:
        payout_id = row["payout_id"].strip() or given["payout_id"]
        if not ID_PATTERN.fullmatch(payout_id):
            raise FileRefused(
                f"row {row.number}: {payout_id[:80]!r} can't be the id of a payout", "payout_id", payout_id,
                "use up to 64 letters, digits, dots, hyphens and underscores",
            )  # fmt: skip
        groups.setdefault(payout_id, []).append(row)
    if not groups:
        raise FileRefused("the file has no rows below its header", "file")
    if len(groups) > PAYOUTS_MAX:
        raise FileRefused(f"the file has more than {PAYOUTS_MAX} payouts", "payout_id", cure="send fewer at once")
    return tuple(CutPayout(key, _slice(header, delimiter, members, given)) for key, members in groups.items())


def _table(raw: bytes) -> tuple[list[Row], str, tuple[str, ...]]:
    """Rows, delimiter and header. Raises `FileRefused`."""
    lines = lines_of(raw)
    first = next(lines, None)
    if first is None:
        raise FileRefused("the file is empty", "file")
    delimiter = max(",;\t", key=first[1].count)
    header = tuple(name.strip().lower().replace(" ", "_") for name in next(csv.reader([first[1]], delimiter=delimiter)))
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise FileRefused(
            f"the file has no column {missing[0]}", missing[0], ", ".join(header), f"{_NEEDED}; it may have {_MORE}"
        )
    unknown = [name for name in header if name not in _COLUMNS]
    if unknown:
        raise FileRefused(
            f"the file has a column {unknown[0]!r}, which means nothing here", unknown[0] or "(empty)", unknown[0],
            f"remove it: {_NEEDED}; it may have {_MORE}",
        )  # fmt: skip
    if len(set(header)) != len(header):
        raise FileRefused("the file has a column twice", next(name for name in header if header.count(name) > 1))
    rows: list[Row] = []
    for number, line in lines:
        if len(rows) >= ROWS_MAX:
            raise FileRefused(f"the file has more than {ROWS_MAX} rows", "file", cure="send less at once")
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration) as error:
            raise FileRefused(f"row {number} can't be read: a quoted cell is not closed", "file") from error
        if len(cells) > len(header):
            raise FileRefused(
                f"row {number}: column {len(header) + 1} is not in the header", str(len(header) + 1),
                cells[len(header)], "remove the cell, or put one that holds the delimiter between quotes",
            )  # fmt: skip
        rows.append(Row(number, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
    return rows, delimiter, header


def _slice(header: Sequence[str], delimiter: str, rows: Sequence[Row], given: Mapping[str, str]) -> bytes:
    """A file of one payout that says everything about it, so that it can be read again without the upload.

    Rows keep the number they had, because reasons name it.
    """
    added = [name for name in OF_THE_PAYOUT if given[name] and name not in header]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["row", *header, *added])
    for row in rows:
        writer.writerow([row.number, *(row[name] for name in header), *(given[name] for name in added)])
    return packed(text.getvalue().encode())


def normalize(parts: PayoutParts, account: Account) -> Payout:
    """One payout. Raises `NormalizationError` naming row and column."""
    rows = _own_rows(parts.file())
    first = rows[0]
    for name in OF_THE_PAYOUT:
        for row in rows:
            if row[name] != first[name]:
                raise row.refusal(name, f"and {first[name]!r} in row {first.number}", "a payout has one of each")
    currency = payout_currency(first["currency"])
    paid_on = _day(first, "paid_on")
    lines = tuple(_line(index, row, currency, paid_on) for index, row in enumerate(rows, start=1))
    net = in_places(_amount(first, "net"), currency, "net") if first["net"] else net_of(lines)
    return Payout(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=parts.payout_id,
        processor=identifier(first["processor"] or "upload"),
        currency=currency,
        paid_on=paid_on,
        status=PAID,
        net=net,
        lines=lines,
    )


def _own_rows(raw: bytes) -> list[Row]:
    """Rows of a slice, at least one."""
    try:
        (_, first), *others = lines_of(raw)
        delimiter = max(",;\t", key=first.count)
        header = next(csv.reader([first], delimiter=delimiter))
        cells = [dict(zip(header, next(csv.reader([line], delimiter=delimiter)), strict=False)) for _, line in others]
    except (FileRefused, ValueError) as error:
        raise NormalizationError("file", None, "upload the file again", text="the stored file can't be read") from error
    return [Row(int(row["row"]), row) for row in cells]


def _line(index: int, row: Row, currency: str, paid_on: date) -> PayoutLine:
    kind = row["type"].lower()
    if kind not in KINDS:
        raise row.refusal(
            "type", "which is no kind of line", f"use one of {', '.join(sorted(KINDS))}", "UNKNOWN_LINE_TYPE"
        )
    amount = in_places(_amount(row, "amount"), currency, f"row {row.number}, column amount")
    if kind in _OUTGOING and amount > 0:
        raise row.refusal("amount", f"but a {kind} takes money away", "write it with a minus sign")
    fee = in_places(_amount(row, "fee") if row["fee"] else ZERO, currency, f"row {row.number}, column fee")
    if kind in {"charge", "refund"} and not (row["order_number"] or row["reference"] or row["tender_id"]):
        raise row.refusal("order_number", f"and a {kind} needs one", "give the order's number, or a reference")
    return PayoutLine(
        external_id=str(index),
        kind=kind,
        amount=amount,
        fee=fee,
        order_number=short(row["order_number"].removeprefix("#")),
        tender_external_id=short(row["tender_id"]),
        refund_external_id=short(row["refund_id"]),
        reference=short(row["reference"]),
        description=short(row["description"]),
        occurred_on=_day(row, "occurred_on") if row["occurred_on"] else paid_on,
    )


def _amount(row: Row, column: str) -> Decimal:
    text = row[column]
    try:
        value = Decimal(text) if len(text) <= _AMOUNT_CHARS_MAX and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) >= Decimal("1e13"):
        raise row.refusal(
            column, "which is no amount", "write it like -1234.56, without a currency sign", "UNREADABLE_AMOUNT"
        )
    return value


def _day(row: Row, column: str) -> date:
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        raise row.refusal(column, "which is no day", "write it like 2026-03-15") from None


FORMAT = FileFormat("payout_csv", "Payout CSV", cut, normalize)
