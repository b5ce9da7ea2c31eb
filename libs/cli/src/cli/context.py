"""What every command gets: the API, and where its answers go."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.client import Api
from cli.output import Output
from cli.profile import load

_NAMED_MAX = 20

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
    companies = list(api.pages("/v1/companies", rows_max=_NAMED_MAX))
    if len(companies) == 1:
        return str(companies[0]["company_id"])
    raise _unclear("--company", "company file", [(each["company_id"], each["name"]) for each in companies])


def only_connection(api: Api, connection_id: str | None) -> str:
    """The connection that is meant: the named one, or the tenant's only one."""
    if connection_id is not None:
        return connection_id
    connections = list(api.pages("/v1/connections", rows_max=_NAMED_MAX))
    if len(connections) == 1:
        return str(connections[0]["connection_id"])
    raise _unclear("--connection", "connection", [(each["connection_id"], each["name"]) for each in connections])


def _unclear(option: str, what: str, candidates: list[tuple[str, str]]) -> typer.BadParameter:
    """Several, of which one is to be named, or none."""
    if not candidates:
        return typer.BadParameter(f"there is no {what} yet")
    names = ", ".join(f"{identity} ({name})" for identity, name in candidates)
    return typer.BadParameter(f"name one with {option}: {names}")
