"""A writer that dies at any moment leaves books in which everything stands exactly once."""

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger_writer.settings import LedgerWriterSettings

ORDERS = 60
MOMENTS = ["before_append", "inside_append", "before_record", "after_record"]


def environment(settings: LedgerWriterSettings) -> dict[str, str]:
    return dict(os.environ) | {
        "LEDGER_WRITER_DATABASE_URL": settings.database_url.get_secret_value(),
        "LEDGER_WRITER_BROKER_URL": settings.broker_url.get_secret_value(),
        "LEDGER_WRITER_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "LEDGER_WRITER_INTERNAL_KEY": "mine",
        "LEDGER_WRITER_INTERNAL_CALLERS": json.dumps({"api": "the-key-of-the-gateway"}),
        "LEDGER_WRITER_DATA_DIR": str(settings.data_dir),
        "LEDGER_WRITER_LANE_LEASE_S": "1",
        "LEDGER_WRITER_LOG_LEVEL": "WARNING",
    }


async def crash(desk: Any, moment: str) -> None:
    """Run a replica until it has killed itself."""
    program = Path(__file__).with_name("crashing.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), moment, env=environment(desk.settings), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            assert await process.wait() == -9
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_writer_that_dies_leaves_everything_exactly_once(open_desk: Any, make: Any, moment: str) -> None:
    await open_desk.send(make.receipt_set("first", "1.00"))
    await open_desk.settled(3)
    await open_desk.stop()
    await open_desk.send(*(make.receipt_set(str(number)) for number in range(ORDERS)))
    await crash(open_desk, moment)
    # The lease of the dead replica runs out; the next one resolves what it left behind.
    await open_desk.start()
    await open_desk.settled(3 + 2 * ORDERS, timeout_s=60)
    assert (await open_desk.balances())["Income:Sales"] == Decimal("-1.00") - 25 * ORDERS
    keys = open_desk.posting_keys()
    assert len(keys) == len(set(keys)) == 3 + 2 * ORDERS
    assert await open_desk.pool.fetchval("SELECT count(*) FROM lanes WHERE intents IS NOT NULL") == 0
    ours = "SELECT count(*) FROM documents WHERE linked_by = 'created' AND written_at IS NOT NULL"
    assert await open_desk.pool.fetchval(ours) == 3 + 2 * ORDERS, "also what was found in the books after the crash"
    has_copy = (open_desk.folder / "torn").exists()
    assert has_copy is (moment in {"inside_append", "before_record"})


async def test_dying_again_and_again_makes_no_difference(open_desk: Any, make: Any) -> None:
    await open_desk.stop()
    await open_desk.send(*(make.receipt_set(str(number)) for number in range(ORDERS)))
    for moment in ("before_record", "inside_append", "before_record"):
        await crash(open_desk, moment)
    await open_desk.start()
    await open_desk.settled(1 + 2 * ORDERS, timeout_s=60)
    assert (await open_desk.balances())["Income:Sales"] == Decimal(-25 * ORDERS)
