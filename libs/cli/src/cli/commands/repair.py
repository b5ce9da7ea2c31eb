"""What to do about warnings: resend and dismiss. And the tasks that come round by themselves."""

from typing import Annotated, Any

import typer

from cli.commands.orders import find
from cli.commands.sync import Wait, finish
from cli.context import OnlyCompany, connected, only_company
from cli.output import Column
from cli.paths import segment

tasks_app = typer.Typer(help="What comes round by itself.", no_args_is_help=True)

Documents = Annotated[list[str] | None, typer.Option("--document", "-d", help="Key; may repeat.")]
Orders = Annotated[list[str] | None, typer.Option("--order", "-o", help="Number or id; may repeat.")]
Code = Annotated[str | None, typer.Option("--code", help="Every warning with this code.")]

_TASKS = (
    Column("id", "task_id", whole=True),
    Column("kind", "kind"),
    Column("connection", "connection_id", whole=True),
    Column("every s", "interval_s", right=True),
    Column("cron", "cron"),
    Column("active", "active"),
    Column("last run", "last_run_at"),
    Column("last result", "last_result"),
    Column("problem", "last_failed.text"),
    Column("next run", "next_run_at"),
)


def resend(
    context: typer.Context,
    company: OnlyCompany = None,
    document: Documents = None,
    order: Orders = None,
    code: Code = None,
    every: Annotated[bool, typer.Option("--all", help="Every warning.")] = False,
    cascade: Annotated[bool, typer.Option("--cascade", help="Send what these depend on first.")] = False,
    refetch: Annotated[bool, typer.Option("--refetch", help="Ask the channel for the orders again.")] = False,
    wait: Wait = True,
) -> None:
    """Bring warnings up to date from source data, rules and settings, and try them now."""
    if not (document or order or code or every):
        raise typer.BadParameter("say what to send again: --order, --document, --code, or --all for every warning")
    with connected(context) as (api, output):
        body: dict[str, Any] = {"company_id": only_company(api, company), "cascade": cascade, "refetch": refetch}
        if document:
            body["document_keys"] = document
        if order:
            body["order_ids"] = [found["order_id"] for each in order for found in find(api, each)]
        if code:
            body["code"] = code
        if every:
            body["all_warnings"] = True
        accepted = api.post("/v1/resends", body)
        finish(api, output, api.get(f"/v1/runs/{segment(accepted['run_id'])}"), wait=wait)


def dismiss(
    context: typer.Context,
    company: OnlyCompany = None,
    document: Documents = None,
    order: Orders = None,
    code: Code = None,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take a dismissal back.")] = False,
) -> None:
    """Hide warnings that need no action, or take that back."""
    if not (document or order or code):
        raise typer.BadParameter("say what to dismiss: --order, --document or --code")
    with connected(context) as (api, output):
        body: dict[str, Any] = {"company_id": only_company(api, company), "note": note, "dismissed": not undo}
        if document:
            body["document_keys"] = document
        if order:
            body["order_ids"] = [found["order_id"] for each in order for found in find(api, each)]
        if code:
            body["code"] = code
        done = api.post("/v1/dismissals", body)
        if output.as_json:
            output.json(done)
        what = "taken back" if undo else "dismissed"
        output.line(f"{what}: {done['documents']} documents, {done['orders']} orders")


@tasks_app.command("list")
def list_tasks(context: typer.Context) -> None:
    """List tasks with their last result and next run."""
    with connected(context) as (api, output):
        output.rows(
            api.get("/v1/tasks")["items"],
            _TASKS,
            title="Tasks",
            empty="no tasks: a connection that can be fetched from gets them with its settings",
        )


@tasks_app.command("run")
def run_task(context: typer.Context, task_id: str, wait: Wait = True) -> None:
    """Run a task now."""
    with connected(context) as (api, output):
        finish(api, output, api.post(f"/v1/tasks/{segment(task_id)}/run"), wait=wait)


@tasks_app.command("on")
def switch_on(context: typer.Context, task_id: str) -> None:
    """Activate a task; it runs at once."""
    _switch(context, task_id, {"active": True})


@tasks_app.command("off")
def switch_off(context: typer.Context, task_id: str) -> None:
    """Deactivate a task."""
    _switch(context, task_id, {"active": False})


@tasks_app.command("schedule")
def reschedule(
    context: typer.Context,
    task_id: str,
    every_s: Annotated[int | None, typer.Option("--every-s", min=60, help="Seconds between runs.")] = None,
    cron: Annotated[str | None, typer.Option("--cron", help="Cron expression in UTC.")] = None,
) -> None:
    """Give a task another schedule."""
    if (every_s is None) == (cron is None):
        raise typer.BadParameter("give either --every-s or --cron")
    _switch(context, task_id, {"interval_s": every_s} if cron is None else {"cron": cron})


def _switch(context: typer.Context, task_id: str, change: dict[str, Any]) -> None:
    with connected(context) as (api, output):
        task = api.patch(f"/v1/tasks/{segment(task_id)}", change)
        if output.as_json:
            output.json(task)
            return
        output.rows([task], _TASKS, title="Task", empty="")
