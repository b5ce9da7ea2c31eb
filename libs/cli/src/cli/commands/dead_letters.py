"""Dead letters, for operators."""

import time
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cli.client import Api
from cli.context import connected
from cli.output import Column, Output
from cli.paths import segment
from cli.problems import Exit

dead_app = typer.Typer(help="Messages that could not be handled. Needs an operator's key.", no_args_is_help=True)

_POLL_S = 0.5
_SETTLE_S = 30.0
_LETTERS = (
    Column("id", "dead_letter_id", whole=True),
    Column("queue", "queue"),
    Column("entity", "entity"),
    Column("revision", "revision", right=True),
    Column("error", "error_type"),
    Column("where", "frame"),
    Column("failures", "failures", right=True),
    Column("last failed", "last_failed_at"),
    Column("outcome", "outcome"),
)
_GROUPS = (
    Column("queue", "queue"),
    Column("error", "error_type"),
    Column("where", "frame"),
    Column("letters", "letters", right=True),
    Column("failures", "failures", right=True),
    Column("since", "first_failed_at"),
    Column("last", "last_failed_at"),
    Column("text", "sample"),
)

_OUTCOMES = {
    "published": "not heard of yet (a message that fails again is tried for about 70 s before it is listed)",
    "unresolved": "not sent yet",
    "superseded": "not needed, for something newer is stored",
}

Ids = Annotated[list[str] | None, typer.Argument(help="Ids of letters.")]
Queue = Annotated[str | None, typer.Option("--queue")]
Error = Annotated[str | None, typer.Option("--error", help="Type of the error.")]
Frame = Annotated[str | None, typer.Option("--frame", help="First frame of ours, as `groups` shows it.")]
Tenant = Annotated[str | None, typer.Option("--tenant")]


@dead_app.command("groups")
def list_groups(context: typer.Context, queue: Queue = None) -> None:
    """List causes: letters by queue, error and place."""
    with connected(context) as (api, output):
        rows = api.get("/v1/dead-letters/groups", queue=queue)["items"]
        output.rows(rows, _GROUPS, title="Dead letters by cause", empty="no dead letters")


@dead_app.command("list")
def list_letters(
    context: typer.Context,
    queue: Queue = None,
    error: Error = None,
    frame: Frame = None,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50,
) -> None:
    """List letters, latest failure first."""
    with connected(context) as (api, output):
        rows = list(
            api.pages("/v1/dead-letters", rows_max=limit, queue=queue, error_type=error, frame=frame, tenant_id=tenant)
        )
        output.rows(rows, _LETTERS, title="Dead letters", empty="no dead letters")


@dead_app.command("show")
def show_letter(context: typer.Context, dead_letter_id: str) -> None:
    """Show one letter, masked. Looking is audited."""
    with connected(context) as (api, output):
        letter = api.get(f"/v1/dead-letters/{segment(dead_letter_id)}")
        if output.as_json:
            output.json(letter)
            return
        output.rows([letter], _LETTERS, title="Dead letter", empty="")
        output.line(letter["error_text"], "red")
        output.console.print_json(data={"headers": letter["headers"], "body": letter["body"]})


@dead_app.command("replay")
def replay(
    context: typer.Context,
    ids: Ids = None,
    queue: Queue = None,
    error: Error = None,
    frame: Frame = None,
    tenant: Tenant = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow until the outcomes are known.")] = True,
) -> None:
    """Send letters to their queues again: by id, by cause, or by filter."""
    with connected(context) as (api, output):
        job = api.post("/v1/dead-letters/replays", _selection(ids, queue, error, frame, tenant))
        if wait:
            job = _follow(api, output, job)
        if output.as_json:
            output.json(job)
        output.line(f"{job['job_id']}: {_told(job)}")
        if job["outcomes"].get("failed_again") or not job["total"]:
            raise typer.Exit(Exit.NOT_RIGHT)


@dead_app.command("archive")
def archive(
    context: typer.Context,
    ids: Ids = None,
    queue: Queue = None,
    error: Error = None,
    frame: Frame = None,
    tenant: Tenant = None,
) -> None:
    """Take letters off the list for good; their bodies are removed."""
    with connected(context) as (api, output):
        done = api.post("/v1/dead-letters/archive", _selection(ids, queue, error, frame, tenant))
        told = f"archived {done['archived']}" if done["archived"] else "nothing that is listed fits this choice"
        output.json(done) if output.as_json else output.line(told)
        if not done["archived"]:
            raise typer.Exit(Exit.NOT_RIGHT)


def _told(job: dict[str, Any]) -> str:
    """How many are back in their queues, and what is known to have become of them."""
    if not job["total"]:
        return "nothing fits this choice"
    counts = sorted(job["outcomes"].items())
    known = [f"{count} {_OUTCOMES.get(name, name.replace('_', ' '))}" for name, count in counts]
    return f"{job['published']} of {job['total']} sent to their queues again: {', '.join(known) or 'none heard of yet'}"


def _selection(
    ids: list[str] | None, queue: str | None, error: str | None, frame: str | None, tenant: str | None
) -> dict[str, Any]:
    chosen = {"ids": ids or None, "queue": queue, "error_type": error, "frame": frame, "tenant_id": tenant}
    given = {name: value for name, value in chosen.items() if value is not None}
    if not given:
        raise typer.BadParameter("name ids, or narrow by --queue, --error, --frame or --tenant")
    return given


def _follow(api: Api, output: Output, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until everything is published and, for a while, until it is known what became of it."""
    deadline = time.monotonic() + _SETTLE_S
    with Progress(console=output.console, disable=output.as_json) as progress:
        bar = progress.add_task("replaying", total=job["total"] or 1)
        while True:
            job = api.get(f"/v1/dead-letters/replays/{segment(job['job_id'])}")
            progress.update(bar, completed=job["published"])
            settled = job["finished_at"] is not None and not job["outcomes"].get("published")
            if settled or (job["finished_at"] is not None and time.monotonic() > deadline):
                return job
            if job["finished_at"] is None:
                deadline = time.monotonic() + _SETTLE_S
            time.sleep(_POLL_S)
