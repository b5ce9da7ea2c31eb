"""The `tillbook` command: a client of the REST API, for people and for scripts."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.client import Api
from cli.commands.approve import approve, preview
from cli.commands.books import back_up, clearing, export, log, restore
from cli.commands.dead_letters import dead_app
from cli.commands.mirrors import mirrors, rebuild
from cli.commands.orders import documents_app, orders_app
from cli.commands.pausing import pause, resume
from cli.commands.repair import dismiss, resend, tasks_app
from cli.commands.rules import products_app, rules_app
from cli.commands.status import companies, connections, status, warnings
from cli.commands.sync import runs_app, sync
from cli.context import Options, output
from cli.problems import CommandFailed, Exit
from cli.profile import Profile, profile_file, save

typer_app = typer.Typer(
    name="tillbook",
    help="From the till to the books. Exit status: 0 all well, 1 something is not right, 2 wrong use, 3 refused,"
    " 4 not reachable, 5 not configured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@typer_app.callback()
def options(
    context: typer.Context,
    profile: Annotated[str, typer.Option(envvar="TILLBOOK_PROFILE", help="Which stored profile to use.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Options that stand before the command."""
    context.obj = Options(profile=profile, as_json=as_json)


@typer_app.command()
def login(
    context: typer.Context,
    url: Annotated[str, typer.Option(prompt="Address of the API", help="e.g. https://tillbook.example")],
    key: Annotated[str, typer.Option(prompt="API key", hide_input=True, help="A key of the tenant, or an operator's.")],
) -> None:
    """Check an address and key, and store them in a file that only you can read."""
    given: Options = context.obj
    profile = Profile(url, key)
    with Api(profile) as api:
        try:
            name = api.get("/v1/tenant")["name"]
        except CommandFailed as failure:
            if failure.status is not Exit.REFUSED:
                raise
            api.get("/v1/tenants", limit=1)
            name = "operator"
    save(profile_file(), given.profile, profile)
    output(context).line(f"profile {given.profile!r} is stored in {profile_file()}: {name}")


typer_app.command()(status)
typer_app.command()(warnings)
typer_app.command()(companies)
typer_app.command()(connections)
typer_app.command()(preview)
typer_app.command()(approve)
typer_app.command()(sync)
typer_app.command()(resend)
typer_app.command()(dismiss)
typer_app.command()(pause)
typer_app.command()(resume)
typer_app.command()(clearing)
typer_app.command()(log)
typer_app.command()(mirrors)
typer_app.command()(rebuild)
typer_app.command("backup")(back_up)
typer_app.command()(restore)
documents_app.command("export")(export)
typer_app.add_typer(rules_app, name="rules")
typer_app.add_typer(products_app, name="products")
typer_app.add_typer(orders_app, name="orders")
typer_app.add_typer(documents_app, name="documents")
typer_app.add_typer(runs_app, name="runs")
typer_app.add_typer(tasks_app, name="tasks")
typer_app.add_typer(dead_app, name="dead-letters")


def app() -> None:
    """Entry point: runs the command, and turns what went wrong into a sentence and an exit status."""
    try:
        typer_app()
    except CommandFailed as failure:
        show(failure)
        sys.exit(failure.status)


def show(failure: CommandFailed) -> None:
    """Print to standard error, so that --json output stays JSON."""
    console = Console(stderr=True)
    console.print(Text(failure.text, style="red"))
    for detail in failure.details:
        console.print(Text(f"  {detail}"))
    if failure.cure:
        console.print(Text(failure.cure))
