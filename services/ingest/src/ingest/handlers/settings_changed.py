"""A connection's settings: which time zone and currency its orders are read in, and from which day on."""

from collections.abc import Callable, Sequence

from common.batch import Batch
from common.database import Connection, lock_keys
from common.handling import Handler
from common.messages.control import SettingsChanged
from ingest.store.connections import RETENTION_DAYS, SETTINGS
from ingest.store.due import RENORMALISE

Known = dict[str, tuple[int, str, bool]]
"""Connection → revision, time zone and currency choice that its orders were read by."""
_UNSET = (0, "UTC", False)


async def load(connection: Connection, states: Sequence[SettingsChanged]) -> Known:
    """What is stored, under the locks of the connections' settings."""
    ids = [state.scope_id for state in states if state.scope == "connection"]
    await lock_keys(connection, [f"settings/{identity}" for identity in ids])
    rows = await connection.fetch(
        "SELECT connection_id, revision, time_zone, store_currency FROM connection_settings"
        " WHERE connection_id = ANY($1::text[])",
        ids,
    )
    return {row["connection_id"]: (row["revision"], row["time_zone"], row["store_currency"]) for row in rows}


def handler(wake: Callable[[], None], forget: Callable[[str], None]) -> Handler[SettingsChanged, Known]:
    """Store the snapshot; where reading changes, every order of the connection is normalised again."""

    def handle(state: SettingsChanged, known: Known, batch: Batch) -> None:
        if state.scope != "connection":
            return
        revision, time_zone, store_currency = known.get(state.scope_id, _UNSET)
        if state.revision <= revision:
            return
        settings = state.connection
        batch.upsert(
            SETTINGS,
            {
                "connection_id": state.scope_id,
                "tenant_id": state.tenant_id,
                "revision": state.revision,
                "time_zone": settings.time_zone if settings else time_zone,
                "store_currency": settings.use_store_currency if settings else store_currency,
                "start_date": settings.start_date if settings else None,
                "raw_retention_days": settings.raw_retention_days if settings else RETENTION_DAYS,
                "enabled": bool(settings and settings.enabled and not state.deleted),
            },
        )
        if settings and (settings.time_zone, settings.use_store_currency) != (time_zone, store_currency):
            # Runs after the row above has waited for every batch that reads by the old settings.
            batch.execute(
                "UPDATE orders SET due_at = now(), due_kind = $3, due_attempts = 0"
                " WHERE connection_id = $1 AND tenant_id = $2",
                state.scope_id,
                state.tenant_id,
                RENORMALISE,
            )
            batch.after_commit(wake)
        batch.after_commit(lambda: forget(state.scope_id))

    return Handler(SettingsChanged, load, handle)
