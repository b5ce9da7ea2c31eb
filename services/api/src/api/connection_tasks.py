"""The tasks that a connection's settings call for."""

from api.ids import new_id
from api.store import tasks
from api.store.sql import Row
from common.database import Connection
from common.messages.control import ConnectionSettings, TaskKind

_ORDERS_EVERY_S = 3600
_PAYOUTS_EVERY_S = 24 * 3600


def can_fetch(row: Row, kind: TaskKind) -> bool:
    """Whether the connection can be asked for what tasks of the kind bring."""
    return bool(row["fetches_payouts" if kind is TaskKind.PAYOUTS else "fetches"])


async def ensure_tasks(connection: Connection, row: Row, settings: ConnectionSettings) -> None:
    """Make those that are not there yet. `row`: the connection; it gets none for what it can't be asked for.

    Payouts may be switched on all the same: they are uploaded then, or come from the connection of the processor.
    """
    wanted = {TaskKind.ORDERS_TO_LEDGER: _ORDERS_EVERY_S}
    if settings.payouts.enabled:
        wanted[TaskKind.PAYOUTS] = _PAYOUTS_EVERY_S
    for kind, interval_s in wanted.items():
        if not can_fetch(row, kind):
            continue
        await tasks.ensure(
            connection,
            task_id=new_id("task", f"{row['connection_id']}|{kind}"),
            tenant_id=row["tenant_id"],
            connection_id=row["connection_id"],
            kind=kind,
            interval_s=interval_s,
            cron=None,
        )
