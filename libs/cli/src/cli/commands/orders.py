"""Orders with their whole story, and documents."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.context import connected
from cli.output import Column, Output
from cli.paths import segment
from cli.problems import CommandFailed, Exit

orders_app = typer.Typer(help="Orders, and what they became.", no_args_is_help=True)
documents_app = typer.Typer(help="Documents, customers and items of the ledgers.", no_args_is_help=True)

_ORDERS = (
    Column("order", "number"),
    Column("date", "ordered_on"),
    Column("status", "status"),
    Column("total", "total", right=True),
    Column("", "currency"),
    Column("stands", "column"),
    Column("code", "reason.code"),
    Column("reason", "reason.text"),
    Column("id", "order_id", whole=True),
)
_DOCUMENTS = (
    Column("kind", "kind"),
    Column("number", "number"),
    Column("name", "name"),
    Column("date", "date"),
    Column("amount", "amount", right=True),
    Column("", "currency"),
    Column("state", "state"),
    Column("code", "reason.code"),
    Column("reason", "reason.text"),
    Column("key", "document_key", whole=True),
)
_STORY = (
    Column("when", "at"),
    Column("stage", "stage"),
    Column("what", "text"),
    Column("code", "reason.code"),
    Column("reason", "reason.text"),
)

_RULES = (Column("rule", "name"), Column("field", "field"), Column("before", "before"), Column("after", "after"))
_PLANNED = (
    Column("would", "would"),
    Column("kind", "document.kind"),
    Column("number", "document.number"),
    Column("date", "document.date"),
    Column("total", "document.total", right=True),
    Column("", "document.currency"),
    Column("customer", "document.customer"),
    Column("is", "state"),
    Column("code", "blocked_by.code"),
    Column("reason", "blocked_by.text"),
)
_LINES = (
    Column("of", "of"),
    Column("line", "kind"),
    Column("item", "item"),
    Column("description", "description"),
    Column("quantity", "quantity", right=True),
    Column("amount", "amount", right=True),
    Column("account", "account"),
)
_PAYMENTS = (
    Column("payment", "tender_id", whole=True),
    Column("date", "captured_on"),
    Column("method", "method"),
    Column("amount", "amount", right=True),
    Column("", "currency"),
    Column("in ledger", "in_ledger"),
    Column("code", "reason.code"),
    Column("reason", "reason.text"),
    Column("what to do", "reason.cure"),
)

Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")]


@orders_app.command("list")
def list_orders(
    context: typer.Context,
    connection: Annotated[str | None, typer.Option("--connection")] = None,
    number: Annotated[str | None, typer.Option("--number", "-n")] = None,
    column: Annotated[str | None, typer.Option("--column", help="in_ledger, warnings, waiting, …")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Code of the reason.")] = None,
    limit: Limit = 50,
) -> None:
    """List orders, last received first."""
    with connected(context) as (api, output):
        rows = list(
            api.pages("/v1/orders", rows_max=limit, connection_id=connection, number=number, column=column, code=code)
        )
        output.rows(rows, _ORDERS, title="Orders", empty="no orders")


@orders_app.command("show")
def show_order(context: typer.Context, order: Annotated[str, typer.Argument(help="Number or id.")]) -> None:
    """Show the story of one order: what came, what it became, and every write with its reason."""
    with connected(context) as (api, output):
        for story in _answers(api, output, order, "timeline"):
            _show(output, story)
            detail = api.get(f"/v1/orders/{segment(story['order']['order_id'])}")
            output.rows(detail["documents_found"], _DOCUMENTS, title="Documents", empty="no documents")


@orders_app.command("preview")
def preview_order(context: typer.Context, order: Annotated[str, typer.Argument(help="Number or id.")]) -> None:
    """Show what one order would become now: its documents, and what would happen to each. Nothing is written."""
    with connected(context) as (api, output):
        for shown in _answers(api, output, order, "preview"):
            reason = shown["reason"]
            output.line(f"{shown['number']}: {shown['outcome']}" + (f", {reason['text']}" if reason else ""))
            output.rows(shown["rules"], _RULES, title="Rules that change it", empty="none")
            output.rows(shown["documents"], _PLANNED, title="Documents", empty="none")
            lines = [{**line, "of": each["document"]["kind"]} for each in shown["documents"]
                     for line in each["document"]["lines"]]  # fmt: skip
            output.rows(lines, _LINES, title="Lines", empty="none")


@orders_app.command("why-unpaid")
def explain_payments(context: typer.Context, order: Annotated[str, typer.Argument(help="Number or id.")]) -> None:
    """Show each payment of an order, and the first reason that keeps it out of the ledger."""
    with connected(context) as (api, output):
        for answer in _answers(api, output, order, "missing-payments"):
            output.rows(answer["payments"], _PAYMENTS, title="Payments", empty="the channel names none")
            for notice in filter(None, (payment["notice"] for payment in answer["payments"])):
                output.line(f"{notice['text']} {notice['cure']}")


def find(api: Api, order: str) -> list[dict[str, Any]]:
    """Orders of this number, in any connection, or the one with this id. Raises `CommandFailed` where there is none."""
    by_number = list(api.pages("/v1/orders", rows_max=20, number=order))
    if by_number:
        return by_number
    try:
        return [api.get(f"/v1/orders/{segment(order)}")]
    except CommandFailed as failure:
        if failure.status is not Exit.REFUSED:
            raise
        raise CommandFailed(
            f"there is no order {order!r}", Exit.REFUSED, cure="use its number or id as `tillbook orders list` shows it"
        ) from failure


def _answers(api: Api, output: Output, order: str, about: str) -> Iterator[dict[str, Any]]:
    """What the API says about each order that is meant, for people; programs get it as it is."""
    for found in find(api, order):
        answer = api.get(f"/v1/orders/{segment(found['order_id'])}/{about}")
        if output.as_json:
            output.json(answer)
        else:
            yield answer


def _show(output: Output, story: dict[str, Any]) -> None:
    order = story["order"]
    day = f" of {order['ordered_on']}" if order["ordered_on"] else ""
    amount = f"{order['total']} {order['currency']}" if order["total"] is not None else "no total"
    title = f"{order['number']}{day}: {amount}, {order['status'] or 'could not be read'}"
    output.rows(story["entries"], _STORY, title=title, empty="nothing is known of this order")
    reason = order["reason"]
    output.line(f"stands: {order['column']}" + (f" ({reason['code']}: {reason['text']})" if reason else ""))
    if reason and reason["cure"]:
        output.line(f"what to do: {reason['cure']}")
    for part in story["unavailable"]:
        output.line(f"{part['part']} can't be shown now: {part['text']}", "yellow")


@documents_app.command("list")
def list_documents(
    context: typer.Context,
    company: Annotated[str | None, typer.Option("--company")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="invoice, payment, customer, …")] = None,
    state: Annotated[str | None, typer.Option("--state", help="synced, action_required, …")] = None,
    column: Annotated[str | None, typer.Option("--column", help="in_ledger, warnings, waiting, …")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Code of the reason.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of a name or number.")] = None,
    limit: Limit = 50,
) -> None:
    """List documents, last seen first."""
    with connected(context) as (api, output):
        rows = list(
            api.pages(
                "/v1/documents",
                rows_max=limit,
                company_id=company,
                kind=kind,
                state=state,
                column=column,
                code=code,
                search=search,
            )
        )
        output.rows(rows, _DOCUMENTS, title="Documents", empty="no documents")


@documents_app.command("show")
def show_document(context: typer.Context, document_key: str) -> None:
    """Show one document with every attempt at writing it."""
    attempts = (
        Column("when", "at"),
        Column("operation", "operation"),
        Column("outcome", "outcome"),
        Column("ledger id", "ledger_id", whole=True),
        Column("ms", "duration_ms", right=True),
        Column("code", "reason.code"),
        Column("reason", "reason.text"),
    )
    with connected(context) as (api, output):
        document = api.get(f"/v1/documents/{segment(document_key)}")
        if output.as_json:
            output.json(document)
            return
        output.rows([document], _DOCUMENTS, title="Document", empty="")
        if document["history"] is None:
            output.line("its attempts can't be shown now", "yellow")
        else:
            output.rows(document["history"]["attempts"], attempts, title="Attempts", empty="not tried yet")
