"""What lies in clearing accounts, the log of what was done, back-up and restore."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import OnlyCompany, connected, only_company
from cli.files import read_text, write
from cli.output import BAD, GOOD, Column
from cli.paths import segment
from cli.problems import Exit

File = Annotated[Path, typer.Argument(help="Path of the file; - is standard output or input.")]

_AGES = (
    Column("", "currency"),
    Column("age", "age"),
    Column("documents", "documents", right=True),
    Column("amount", "amount", right=True),
)
_CLEARING = (
    Column("date", "date"),
    Column("days", "age_days", right=True),
    Column("order", "order_number"),
    Column("kind", "kind"),
    Column("amount", "amount", right=True),
    Column("", "currency"),
    Column("account", "account"),
    Column("method", "method"),
    Column("payout", "payout_id", whole=True),
    Column("stands", "status"),
    Column("why", "reason.text"),
)
_LOG = (
    Column("when", "at"),
    Column("trigger", "trigger"),
    Column("direction", "direction"),
    Column("entity", "entity"),
    Column("number", "number"),
    Column("action", "action"),
    Column("code", "code"),
    Column("message", "message"),
    Column("ledger id", "ledger_id", whole=True),
    Column("ms", "duration_ms", right=True),
)
_MISSING = (Column("in the file", "field"), Column("name", "value"), Column("what to do", "cure"))


def clearing(
    context: typer.Context,
    company: OnlyCompany = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")] = 200,
) -> None:
    """Show money that was received and not deposited yet: its age, its payout, and why it is still there."""
    with connected(context) as (api, output):
        path = f"/v1/companies/{segment(only_company(api, company))}/clearing"
        ages = api.get(path, limit=1)["ages"]
        items = list(api.pages(path, rows_max=limit))
        if output.as_json:
            output.json({"ages": ages, "items": items})
            return
        output.rows(ages, _AGES, title="In clearing accounts", empty="nothing")
        output.rows(items, _CLEARING, title="Oldest first", empty="nothing waits for a deposit")


def log(
    context: typer.Context,
    company: Annotated[str | None, typer.Option("--company")] = None,
    number: Annotated[str | None, typer.Option("--number", "-n", help="Order number: its whole story.")] = None,
    tab: Annotated[str | None, typer.Option("--tab", help="errors, orders or info.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Documents and orders at most.")] = 50,
) -> None:
    """Show what was fetched and written, newest first; what became of one document stays together."""
    with connected(context) as (api, output):
        rows = list(api.pages("/v1/sync-log", rows_max=limit, company_id=company, number=number, tab=tab))
        output.rows(rows, _LOG, title="Log", empty="nothing was done yet")


def back_up(context: typer.Context, file: File, company: OnlyCompany = None) -> None:
    """Write settings, rules and maps of a company file into one file. Credentials are never in it."""
    with connected(context) as (api, output):
        company_id = only_company(api, company)
        saved = api.get(f"/v1/companies/{segment(company_id)}/backup")
        write(file, json.dumps(saved, indent=2, ensure_ascii=False) + "\n")
        rows, rules = len(saved["maps"]["products"]), len(saved["rules"])
        if str(file) != "-":
            output.line(f"{file}: {len(saved['connections'])} connections, {rules} rules, {rows} rows of maps")


def restore(
    context: typer.Context,
    file: File,
    company: OnlyCompany = None,
    connection: Annotated[
        list[str] | None,
        typer.Option(
            "--connection",
            help="OLD=NEW: whose settings go where; may repeat. OLD=OLD moves one here from another company file.",
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it only what would change is shown.")] = False,
) -> None:
    """Take settings, rules and maps of a back-up over into a company file."""
    names = dict(_pair(each) for each in connection or ())
    with connected(context) as (api, output):
        company_id = only_company(api, company)
        try:
            saved: Any = json.loads(read_text(file))
        except ValueError as error:
            raise typer.BadParameter(f"{file} is not a back-up: {error}") from error
        body = {"backup": saved, "connections": names, "dry_run": not apply}
        report = api.post(f"/v1/companies/{segment(company_id)}/restore", body)
        if output.as_json:
            output.json(report)
            return
        changes = report["changes"]
        done = "changed" if report["restored"] else "would change"
        output.line(f"company file: {done} {', '.join(changes['company']) or 'nothing'}", GOOD)
        for name, fields in changes["connections"].items():
            output.line(f"connection {name}: {done} {', '.join(fields) or 'nothing'}", GOOD)
        output.line(
            f"rules: {changes['rules_created']} new, {changes['rules_replaced']} changed;"
            f" map rows: {changes['map_rows_saved']} new or changed",
            GOOD,
        )
        if report["missing"]:
            output.rows(report["missing"], _MISSING, title="Not here", empty="")
            output.line("orders that need these wait until they exist", BAD)
            raise typer.Exit(Exit.NOT_RIGHT)


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise typer.BadParameter(f"{text!r} is not OLD=NEW")
    return old, new


def export(
    context: typer.Context,
    file: File,
    company: Annotated[str | None, typer.Option("--company")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="invoice, payment, customer, …")] = None,
    state: Annotated[str | None, typer.Option("--state", help="synced, action_required, …")] = None,
    date_from: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    date_to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Write documents into a CSV file, at most 100,000."""
    with connected(context) as (api, output):
        table = api.text(
            "/v1/documents.csv",
            company_id=company,
            kind=kind,
            state=state,
            date_from=_day(date_from),
            date_to=_day(date_to),
        )
        write(file, table)
        if str(file) != "-":
            output.line(f"{file}: {max(0, table.count(chr(10)) - 1)} lines")


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else date(moment.year, moment.month, moment.day).isoformat()
