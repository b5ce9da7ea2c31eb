"""Manual syncs and runs, followed to their end with a progress bar."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.client import Api
from cli.context import connected, only_connection
from cli.output import Column, Output
from cli.paths import segment
from cli.problems import Exit

runs_app = typer.Typer(help="What was started, and how it went.", no_args_is_help=True)

_WRONG = ("failed", "not_found")
_ITEMS = (
    Column("order", "number"),
    Column("result", "result"),
    Column("code", "reason.code"),
    Column("reason", "reason.text"),
    Column("what to do", "reason.cure"),
)
_RUNS = (
    Column("id", "run_id", whole=True),
    Column("trigger", "trigger"),
    Column("kind", "kind"),
    Column("connection", "connection_id", whole=True),
    Column("asked at", "requested_at"),
    Column("fetched at", "fetched_at"),
    Column("problem", "failed.text"),
)

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the run to its end.")]


def sync(
    context: typer.Context,
    connection: Annotated[str | None, typer.Option("--connection", help="Id; default: the only one.")] = None,
    date_from: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    date_to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    number: Annotated[list[str] | None, typer.Option("--number", "-n", help="Order number; may repeat.")] = None,
    modified: Annotated[bool, typer.Option("--modified", help="The days are of the last change.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also orders that a rule would leave out.")] = False,
    payouts: Annotated[bool, typer.Option("--payouts", help="Payouts of the days instead of orders.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="The summary of one day.")] = False,
    wait: Wait = True,
) -> None:
    """Sync orders now, by days (at most 31) or by numbers (at most 500); or payouts, or the summary of one day."""
    if payouts and summary:
        raise typer.BadParameter("choose one of --payouts and --summary")
    with connected(context) as (api, output):
        body: dict[str, Any] = {"connection_id": only_connection(api, connection), "force": force}
        if payouts or summary:
            body["what"] = "payouts" if payouts else "summary"
        if number:
            body["order_numbers"] = number
        if date_from is not None or date_to is not None:
            first, last = date_from or date_to, date_to or date_from
            assert first is not None  # noqa: S101 - one of them was given
            assert last is not None  # noqa: S101
            body |= {"date_from": f"{first:%Y-%m-%d}", "date_to": f"{last:%Y-%m-%d}"}
            body["by"] = "modified" if modified else "created"
        run = api.post("/v1/runs", body)
        finish(api, output, run, wait=wait)


def finish(api: Api, output: Output, run: dict[str, Any], *, wait: bool) -> None:
    """Follow a run, show what became of it, and end with the status that tells."""
    if not wait:
        if output.as_json:
            output.json(run)
        output.line(f"started {run['run_id']}")
        return
    run = follow(api, output, run["run_id"])
    items = list(api.pages(f"/v1/runs/{segment(run['run_id'])}/items", rows_max=1000))
    if output.as_json:
        output.json({**run, "items": items})
    else:
        results = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(run["results"].items()))
        shown = [item for item in items if item["result"] not in {"synced", "already_in_ledger"}]
        if shown:
            output.rows(shown, _ITEMS, title="Not simply synced", empty="")
        if run["failed"]:
            output.line(f"{run['failed']['code']}: {run['failed']['text']} {run['failed']['cure']}", "red")
        nothing = "what was paid out is listed" if run["kind"] == "payouts" else "no orders"
        output.line(f"{run['state']}: {results or nothing}")
    if run["state"] != "finished" or any(run["results"].get(name) for name in _WRONG):
        raise typer.Exit(Exit.NOT_RIGHT)


def follow(api: Api, output: Output, run_id: str) -> dict[str, Any]:
    """Show a bar until the run is over. Returns the run as it ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    run: dict[str, Any] = {}
    with Progress(*columns, console=output.console, disable=output.as_json) as progress:
        bar = progress.add_task("fetching", total=None)
        while not run or run["state"] in {"fetching", "working"}:
            # A stream may be cut off at any time; the run itself is not.
            for _, run in api.events(f"/v1/runs/{segment(run_id)}/events"):
                total = run["total"] if run["state"] != "fetching" else None
                progress.update(bar, description=run["state"], total=total, completed=run["done"])
    return run


@runs_app.command("list")
def list_runs(context: typer.Context, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20) -> None:
    """List runs, newest first."""
    with connected(context) as (api, output):
        output.rows(list(api.pages("/v1/runs", rows_max=limit)), _RUNS, title="Runs", empty="no runs yet")


@runs_app.command("show")
def show_run(context: typer.Context, run_id: str, wait: Wait = False) -> None:
    """Show what became of each order of a run."""
    with connected(context) as (api, output):
        run = follow(api, output, run_id) if wait else api.get(f"/v1/runs/{segment(run_id)}")
        items = list(api.pages(f"/v1/runs/{segment(run_id)}/items", rows_max=10_000))
        if output.as_json:
            output.json({**run, "items": items})
            return
        output.rows(items, _ITEMS, title=f"{run['run_id']}: {run['state']}", empty="nothing was fetched")


@runs_app.command("cancel")
def cancel_run(context: typer.Context, run_id: str) -> None:
    """Stop a run's fetching; what has arrived goes on."""
    with connected(context) as (api, output):
        run = api.post(f"/v1/runs/{segment(run_id)}/cancel")
        output.json(run) if output.as_json else output.line(f"{run_id} is {run['state']}")
