"""A connection's settings: in which time zone, currency and tolerance its orders are read, and from which day on."""

from collections.abc import Callable, Sequence
from dataclasses import astuple

from common.batch import Batch
from common.database import Connection, lock_keys
from common.handling import Handler
from common.messages.control import SettingsChanged
from ingest.store.connections import RETENTION_DAYS, SETTINGS, UNSET, ReadingSettings, reading_settings
from ingest.store.due import FETCH_ASKED, RENORMALISE, RESEND

Known = dict[str, ReadingSettings]
"""Connection → what its orders were read by."""


async def load(connection: Connection, states: Sequence[SettingsChanged]) -> Known:
    """What is stored, under the locks of the connections' settings."""
    ids = [state.scope_id for state in states if state.scope == "connection"]
    await lock_keys(connection, [f"settings/{identity}" for identity in ids])
    return await reading_settings(connection, ids)


def handler(wake: Callable[[], None], forget: Callable[[str], None]) -> Handler[SettingsChanged, Known]:
    """Store the snapshot; where reading changes, every order of the connection is normalised again."""

    def handle(state: SettingsChanged, known: Known, batch: Batch) -> None:
        if state.scope != "connection":
            return
        before = known.get(state.scope_id, UNSET)
        if state.revision <= before.revision:
            return
        settings = state.connection
        now = before if settings is None else ReadingSettings.of(settings, state.revision)
        batch.upsert(
            SETTINGS,
            {
                "connection_id": state.scope_id,
                "tenant_id": state.tenant_id,
                "revision": state.revision,
                "time_zone": now.time_zone,
                "store_currency": now.store_currency,
                "rounding_tolerance": now.rounding_tolerance,
                "start_date": settings.start_date if settings else None,
                "raw_retention_days": settings.raw_retention_days if settings else RETENTION_DAYS,
                "enabled": bool(settings and settings.enabled and not state.deleted),
            },
        )
        if astuple(now)[1:] != astuple(before)[1:]:
            # Runs after the row above has waited for every batch that reads by the old settings.
            batch.execute(
                # What somebody asked for reads by the new settings as well, and has an answer to give.
                "UPDATE orders SET due_at = now(), due_attempts = 0,"
                " due_kind = CASE WHEN due_at IS NOT NULL AND due_kind = ANY($4::text[]) THEN due_kind ELSE $3 END"
                " WHERE connection_id = $1 AND tenant_id = $2",
                state.scope_id,
                state.tenant_id,
                RENORMALISE,
                [RESEND, FETCH_ASKED],
            )
            batch.after_commit(wake)
        batch.after_commit(lambda: forget(state.scope_id))

    return Handler(SettingsChanged, load, handle)
