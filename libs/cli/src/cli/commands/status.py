"""Where everything stands: overview, warnings, company files and connections."""

from typing import Annotated, Any

import typer

from cli.client import Api
from cli.context import connected
from cli.output import BAD, GOOD, QUIET, Column, Output, amounts
from cli.problems import Exit

CompanyOption = Annotated[str | None, typer.Option("--company", help="Id of a company file; default: all.")]

_OVERVIEW = (
    Column("", "name"),
    Column("in source", "source", right=True),
    Column("in ledger", "in_ledger", right=True),
    Column("warnings", "warnings", right=True),
    Column("dismissed", "dismissed", right=True),
    Column("not tried", "not_tried", right=True),
    Column("in progress", "in_progress", right=True),
    Column("waiting", "waiting", right=True),
    Column("out of scope", "out_of_scope", right=True),
    Column("notices", "notices", right=True),
    Column("total in source", "source_total", right=True),
    Column("total in ledger", "ledger_total", right=True),
)
_WARNINGS = (
    Column("code", "code"),
    Column("count", "entities", right=True),
    Column("blocks", "blocks", right=True),
    Column("kinds", "kinds"),
    Column("reason", "text"),
    Column("what to do", "cure"),
)


def status(context: typer.Context, company: CompanyOption = None) -> None:
    """Show the overview of each company file: what is in the ledger, and what is not, and why.

    Exit status 1 where something waits for a person: a warning, or what keeps a whole company file from being written.
    """
    with connected(context) as (api, output):
        companies = _chosen(api, company)
        shown = [
            {
                "company": each,
                "overview": api.get(f"/v1/companies/{each['company_id']}/overview"),
                "warnings": api.get(f"/v1/companies/{each['company_id']}/warnings"),
            }
            for each in companies
        ]
        if output.as_json:
            output.json(shown)
        elif not shown:
            output.line("there is no such company file" if company else "there is no company file yet", QUIET)
        else:
            for each in shown:
                _show(output, each["company"], each["overview"], each["warnings"])
    if any(each["overview"]["attention"] or each["warnings"]["groups"] for each in shown):
        raise typer.Exit(Exit.NOT_RIGHT)


def warnings(context: typer.Context, company: CompanyOption = None) -> None:
    """Show what keeps things out of the ledger, by code, with what to do about it."""
    with connected(context) as (api, output):
        companies = _chosen(api, company)
        groups = [
            {**group, "company_id": each["company_id"]}
            for each in companies
            for group in api.get(f"/v1/companies/{each['company_id']}/warnings")["groups"]
        ]
        output.rows(groups, _WARNINGS, title="Warnings", empty="no warnings")


def companies(context: typer.Context) -> None:
    """List the company files."""
    columns = (
        Column("id", "company_id", whole=True),
        Column("name", "name"),
        Column("ledger", "ledger"),
        Column("status", "status"),
        Column("currency", "home_currency"),
        Column("approved", "approved_at"),
        Column("paused", "paused"),
    )
    with connected(context) as (api, output):
        rows = list(api.pages("/v1/companies", rows_max=1000))
        output.rows(rows, columns, title="Company files", empty="there is no company file yet")


def connections(context: typer.Context) -> None:
    """List the connections."""
    columns = (
        Column("id", "connection_id", whole=True),
        Column("name", "name"),
        Column("channel", "channel"),
        Column("company file", "company_id", whole=True),
        Column("settings", "has_settings"),
    )
    with connected(context) as (api, output):
        rows = list(api.pages("/v1/connections", rows_max=1000))
        output.rows(rows, columns, title="Connections", empty="there is no connection yet")


def _chosen(api: Api, company: str | None) -> list[dict[str, Any]]:
    everything = api.pages("/v1/companies", rows_max=1000)
    return [each for each in everything if company in {None, each["company_id"]}]


def _show(output: Output, company: dict[str, Any], overview: dict[str, Any], found: dict[str, Any]) -> None:
    name = f"{company['name']} ({company['ledger']}, {company['company_id']})"
    rows = [
        {
            **row,
            "name": row["name"].replace("_", " "),
            "source_total": amounts(row["totals"], "source"),
            "ledger_total": amounts(row["totals"], "ledger"),
        }
        for row in overview["rows"]
    ]
    output.rows(rows, _OVERVIEW, title=name, empty="")
    output.line(f"last synchronisation: {overview['last_synchronisation'] or 'never'}", QUIET)
    for each in overview["attention"]:
        output.line(f"{each['text']} {each['cure']}", BAD)
    if overview["first_warning"]:
        output.line(where_to_start(overview["first_warning"], overview["warnings_below"]), BAD)
    if found["groups"]:
        output.rows(found["groups"], _WARNINGS, title="Warnings", empty="")
    else:
        output.line("no warnings", GOOD)


def where_to_start(row: str, below: int) -> str:
    """Rows stand in the order in which things are written: what lacks in one makes warnings in those under it."""
    first = f"Start with the warnings in the row {row.replace('_', ' ')!r}"
    if not below:
        return f"{first}."
    some = "1 warning" if below == 1 else f"{below} warnings"
    return f"{first}; the {some} in the rows under it may go away with them."
