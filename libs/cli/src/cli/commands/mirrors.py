"""Mirrors of what other services own: whether they are complete, and filling them again. For operators."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.context import connected
from cli.output import GOOD, QUIET, Column
from cli.paths import segment
from cli.problems import Exit

Tenant = Annotated[str, typer.Argument(help="Id of the tenant.")]

_ENTITIES = (
    Column("mirror", "mirror"),
    Column("entity", "entity"),
    Column("at the owner", "owner_rows", right=True),
    Column("in the mirror", "mirror_rows", right=True),
)
_DIFFERENCES = (
    *_ENTITIES,
    Column("revisions at the owner", "owner_revisions", right=True),
    Column("revisions in the mirror", "mirror_revisions", right=True),
    Column("company file", "company_id"),
    Column("connection", "connection_id"),
)


class Mirror(StrEnum):
    """Which mirror is filled again."""

    READ_MODEL = "read_model"
    MAPPER = "mapper"
    LEDGER_WRITER = "ledger_writer"


def mirrors(
    context: typer.Context,
    tenant: Tenant,
    check: Annotated[bool, typer.Option("--check", help="Begin to compare now.")] = False,
) -> None:
    """Show whether each service's mirrors of a tenant are what their owners have. Needs an operator's key.

    Exit status 1 where one differs. With `--check` the result stands here once the comparison is over: ask again.
    """
    with connected(context) as (api, shown):
        path = f"/v1/tenants/{segment(tenant)}/mirrors"
        found = api.post(f"{path}/check") if check else api.get(path)
        if shown.as_json:
            shown.json(found)
        else:
            shown.rows(found["entities"], _ENTITIES, title="Mirrors", empty="never compared yet")
            shown.rows(found["differences"], _DIFFERENCES, title="Differences", empty="none")
            last = found["checked_at"] or "never"
            following = found["next_look_at"] or "in a moment"
            shown.line(f"last compared {last}, next look {following}; {found['under_way']} under way", QUIET)
    if found["differences"] and not check:
        raise typer.Exit(Exit.NOT_RIGHT)


def rebuild(
    context: typer.Context,
    tenant: Tenant,
    mirror: Annotated[Mirror, typer.Option("--mirror", help="What is filled again.")] = Mirror.READ_MODEL,
) -> None:
    """Have a mirror of a tenant filled again by the owners. Needs an operator's key.

    The read model is emptied first; the others are not, and what they have stays as it is.
    """
    with connected(context) as (api, shown):
        done = api.post(f"/v1/tenants/{segment(tenant)}/rebuild", mirror=mirror.value)
        if shown.as_json:
            shown.json(done)
        removed = ", ".join(f"{count} {table}" for table, count in done["removed"].items())
        emptied = f"removed {removed}; " if removed else ""
        shown.line(f"{emptied}the owners were asked for their states ({done['request_id']})", GOOD)
