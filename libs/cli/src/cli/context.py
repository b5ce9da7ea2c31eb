"""What every command gets: the API, and where its answers go."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.client import Api
from cli.output import Output
from cli.profile import load

OnlyCompany = Annotated[str | None, typer.Option("--company", help="Id; default: the only one.")]
"""The company file of a command that works on one; see `only_company`."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options that stand before the command."""

    profile: str
    as_json: bool


def output(context: typer.Context) -> Output:
    options: Options = context.obj
    return Output(as_json=options.as_json)


@contextmanager
def connected(context: typer.Context) -> Iterator[tuple[Api, Output]]:
    """The API of the chosen profile, closed in the end."""
    options: Options = context.obj
    with Api(load(options.profile)) as api:
        yield api, output(context)


def only_company(api: Api, company_id: str | None) -> str:
    """The company that is meant: the named one, or the tenant's only one."""
    if company_id is not None:
        return company_id
    companies = [company["company_id"] for company in api.pages("/v1/companies", rows_max=2)]
    if len(companies) == 1:
        return str(companies[0])
    raise typer.BadParameter("name one with --company" if companies else "there is no company file yet")


def only_connection(api: Api, connection_id: str | None) -> str:
    """The connection that is meant: the named one, or the tenant's only one."""
    if connection_id is not None:
        return connection_id
    connections = [each["connection_id"] for each in api.pages("/v1/connections", rows_max=2)]
    if len(connections) == 1:
        return str(connections[0])
    raise typer.BadParameter("name one with --connection" if connections else "there is no connection yet")
