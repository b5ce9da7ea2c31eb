"""The first sync of a company file: what it would write, and the approval that lets it."""

from typing import Annotated, Any

import typer

from cli.context import OnlyCompany, connected, only_company
from cli.output import GOOD, Column, Output
from cli.paths import segment
from cli.problems import Exit

_OUTCOMES = (
    Column("outcome", "outcome"),
    Column("code", "code"),
    Column("reason", "text"),
    Column("orders", "orders", right=True),
    Column("orders to write", "would_write.orders", right=True),
    Column("documents to write", "would_write.documents", right=True),
    Column("total to write", "would_write.total", right=True),
    Column("", "currency"),
)
_HELD = (
    Column("held by", "code"),
    Column("orders", "orders", right=True),
    Column("documents", "documents", right=True),
    Column("reason", "text"),
    Column("what to do", "cure"),
)
_DOCUMENTS = (
    Column("order", "order"),
    Column("kind", "kind"),
    Column("number", "number"),
    Column("date", "date"),
    Column("total", "total", right=True),
    Column("", "currency"),
    Column("customer", "customer"),
    Column("held by", "hold.code"),
)


def preview(
    context: typer.Context,
    company: OnlyCompany = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="Orders that are shown in full.")] = 10,
) -> None:
    """Show what the first sync would write. Nothing is written by looking."""
    with connected(context) as (api, output):
        shown = api.get(f"/v1/companies/{segment(only_company(api, company))}/preview", limit=limit)
        if output.as_json:
            output.json(shown)
            return
        _show(output, shown)


def approve(
    context: typer.Context,
    company: OnlyCompany = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Approve the first sync of a company file: from now on documents are written to its ledger."""
    with connected(context) as (api, output):
        company_id = only_company(api, company)
        if not yes:
            _show(output, api.get(f"/v1/companies/{segment(company_id)}/preview", limit=10))
            if not typer.confirm("Write this to the ledger from now on?", err=True):
                raise typer.Exit(Exit.NOT_RIGHT)
        settings = api.post(f"/v1/companies/{segment(company_id)}/approve")
        if output.as_json:
            output.json(settings)
            return
        output.line(f"{settings['name']} is approved since {settings['approved_at']}", GOOD)


def _show(output: Output, shown: dict[str, Any]) -> None:
    if output.as_json:
        return
    output.rows(shown["outcomes"], _OUTCOMES, title="All orders", empty="no orders yet")
    held = [each for outcome in shown["outcomes"] for each in outcome["held"]]
    output.rows(held, _HELD, title="Held: not written until it is mended", empty="no document is held")
    documents = [{**each, "order": order["number"]} for order in shown["orders"] for each in order["documents"]]
    output.rows(documents, _DOCUMENTS, title="Some of them in full", empty="no documents")
