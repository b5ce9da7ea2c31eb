"""Compares every tenant's mirrors with their owners once a night, and when an operator asks. Any number of replicas
may run it: a due tenant is claimed by one of them."""

from dataclasses import asdict
from datetime import datetime

import structlog

from api.clients import Services
from api.mirrors import MIRRORED, Compared, Found, Mirror, compare, judge, totals
from api.schedules import Schedule, next_run
from api.store import mirrors as store
from api.store.sql import Row
from common.counting import count
from common.errors import Retryable
from common.internal.counts import EntityCounts
from common.problems import Problem
from common.runtime import Runtime
from common.telemetry import MIRROR_DIFFERENCE

log = structlog.get_logger(__name__)

_DIFFERENCES_MAX = 200
"""Differences that are kept of one tenant: who has more has to rebuild all the same."""


async def look(runtime: Runtime, services: Services, *, cron: str, again_after_s: float) -> None:
    """Look at every tenant that is due.

    `cron`: when the comparison of every tenant begins (UTC); `again_after_s`: time between its two looks.
    """
    schedule = Schedule(cron=cron)
    now: datetime = await runtime.pool.fetchval("SELECT now()")
    await store.add_missing(runtime.pool, next_run(schedule, now))
    while await look_at_one(runtime, services, schedule, again_after_s):
        pass
    await _show(runtime)


async def look_at_one(runtime: Runtime, services: Services, schedule: Schedule, again_after_s: float) -> bool:
    """Look at one tenant that is due; false where none was."""
    due = await store.claim(runtime.pool)
    if due is None:
        return False
    tenant_id: str = due["tenant_id"]
    try:
        compared = await _look(runtime, services, tenant_id)
    except (Retryable, Problem) as error:
        log.warning("mirrors_not_compared", tenant_id=tenant_id, error=type(error).__name__)
        return True
    first = [_parse(row) for row in due["first_look"] or ()]
    different = [asdict(one) for one in compared if not one.is_same]
    if different and not first:
        await store.look_again(runtime.pool, tenant_id, different, again_after_s)
        return True
    found = judge(first, compared)
    for one in found.differences[:_DIFFERENCES_MAX]:
        log.warning("mirror_differs", tenant_id=tenant_id, **asdict(one))
    await store.finish(runtime.pool, tenant_id, _result(found, compared), next_run(schedule, due["now"]))
    return True


async def _look(runtime: Runtime, services: Services, tenant_id: str) -> tuple[Compared, ...]:
    """Raises `Retryable` or `Problem` where a service does not answer."""
    counts = {"api": await count(runtime.pool, store.STATEMENTS, tenant_id)}
    for service in (services.ingest, services.mapper, services.ledger_writer):
        counts[service.name] = await service.get("/internal/counts", EntityCounts, tenant_id=tenant_id)
    return compare(counts, *await store.places(runtime.pool, tenant_id))


def _parse(row: Row) -> Compared:
    return Compared(**{**row, "mirror": Mirror(row["mirror"])})


def _result(found: Found, compared: tuple[Compared, ...]) -> Row:
    entities = [
        {"mirror": mirror, "entity": entity, "owner_rows": owner, "mirror_rows": copy}
        for (mirror, entity), (owner, copy) in totals(compared).items()
    ]
    differences = [asdict(one) for one in found.differences[:_DIFFERENCES_MAX]]
    return {"differences": differences, "under_way": found.under_way, "entities": entities}


async def _show(runtime: Runtime) -> None:
    different = await store.differences(runtime.pool)
    for mirror, contracts in MIRRORED.items():
        for contract in contracts:
            MIRROR_DIFFERENCE.labels(mirror, contract.type).set(different.get((mirror, contract.type), 0))
