"""Rules and product maps: as tables, tried before they are saved, and the products that wait for a map."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.orders import find
from cli.context import connected
from cli.files import read_text, write
from cli.output import Column

rules_app = typer.Typer(help="Rules that change orders before they are mapped.", no_args_is_help=True)
products_app = typer.Typer(help="Which product of a channel is which item of the ledger.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="Path of the table (CSV); - is standard output or input.")]

_RULES = (
    Column("priority", "priority", right=True),
    Column("name", "name"),
    Column("action", "definition.action"),
    Column("value", "definition.value"),
    Column("on", "enabled"),
    Column("id", "rule_id", whole=True),
)
_RUN = (
    Column("order", "order"),
    Column("priority", "priority", right=True),
    Column("rule", "name"),
    Column("matched", "matched"),
    Column("field", "field"),
    Column("before", "before"),
    Column("after", "after"),
)
_UNMATCHED = (
    Column("connection", "connection_id", whole=True),
    Column("SKU", "sku"),
    Column("name", "name"),
    Column("orders", "orders", right=True),
    Column("since", "first_seen_at"),
)


@rules_app.command("list")
def list_rules(context: typer.Context) -> None:
    """List rules in the order they run."""
    with connected(context) as (api, output):
        output.rows(list(api.pages("/v1/rules", rows_max=5000)), _RULES, title="Rules", empty="no rules")


@rules_app.command("export")
def export_rules(context: typer.Context, file: File) -> None:
    """Write all rules into a table."""
    with connected(context) as (api, _):
        write(file, api.text("/v1/rules.csv"))


@rules_app.command("import")
def import_rules(context: typer.Context, file: File) -> None:
    """Save the rules of a table, all or none; a rule of the same name is replaced."""
    with connected(context) as (api, output):
        done = api.put_text("/v1/rules.csv", read_text(file))
        if output.as_json:
            output.json(done)
        output.line(f"{done['created']} rules are new, {done['replaced']} replaced, {done['unchanged']} as before")


@rules_app.command("test")
def test_rules(context: typer.Context, order: Annotated[str, typer.Argument(help="Number or id.")]) -> None:
    """Run one order through all rules: what each that matches changes. Nothing is saved."""
    with connected(context) as (api, output):
        body = {"order_ids": [found["order_id"] for found in find(api, order)]}
        result = api.post("/v1/rules/dry-run", body)
        if output.as_json:
            output.json(result)
            return
        output.rows(_lines(result), _RUN, title="Rules that matched", empty="none")
        for each in result["orders"]:
            totals = f"{each['total_before']} → {each['total_after']} {each['currency']}"
            output.line(f"{each['number']}: total {totals}; {each['not_matched']} rules did not match")


def _lines(result: dict[str, Any]) -> list[dict[str, Any]]:
    lines = []
    for order in result["orders"]:
        for rule in order["rules"]:
            head = {"order": order["number"], **rule}
            lines += [{**head, **change, "name": rule["name"]} for change in rule["changes"]] or [head]
    return lines


@products_app.command("unmatched")
def list_unmatched(
    context: typer.Context, connection: Annotated[str | None, typer.Option("--connection")] = None
) -> None:
    """List products that keep orders out of the ledger until they are mapped."""
    with connected(context) as (api, output):
        rows = list(api.pages("/v1/unmatched-products", rows_max=5000, connection_id=connection))
        output.rows(rows, _UNMATCHED, title="Unmatched products", empty="every product has its item")


@products_app.command("export")
def export_products(
    context: typer.Context, file: File, connection: Annotated[str | None, typer.Option("--connection")] = None
) -> None:
    """Write the product map into a table."""
    with connected(context) as (api, _):
        write(file, api.text("/v1/maps/products.csv", connection_id=connection))


@products_app.command("import")
def import_products(context: typer.Context, file: File) -> None:
    """Save the rows of a product map, all or none; orders that waited for a product are mapped again."""
    with connected(context) as (api, output):
        done = api.put_text("/v1/maps/products.csv", read_text(file))
        if output.as_json:
            output.json(done)
        output.line(f"{done['saved']} rows saved, {done['removed']} removed; {done['orders_affected']} orders go on")
