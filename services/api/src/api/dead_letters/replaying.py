"""Carries out replay jobs: the original body goes to the original queue, with confirms, then the job notes it.

Items stay locked while they are published. A crash between the confirm and the note publishes an item twice, which
the receiving handlers make harmless; nothing is ever noted that was not confirmed.
"""

import orjson
import structlog

from api.dead_letters.letters import context_of, replay_headers
from api.store import dead_letters as store
from api.store.sql import Row
from common.broker import Outgoing, Unroutable
from common.crypto import Cipher, DecryptionFailed
from common.runtime import Runtime

log = structlog.get_logger(__name__)

DEFAULT_EXCHANGE = ""


async def replay_waiting(runtime: Runtime, cipher: Cipher, batch: int) -> None:
    """Publish what jobs ask for, so many letters at a time, until none waits. Raises a lost broker or database."""
    while await replay_once(runtime, cipher, batch):
        pass


async def replay_once(runtime: Runtime, cipher: Cipher, batch: int) -> int:
    """Publish one batch of waiting letters. Returns how many were taken; 0 when nothing waits."""
    async with runtime.pool.acquire() as connection, connection.transaction():
        items = await store.claim_items(connection, batch)
        skipped: dict[tuple[str, str], str] = {}
        outgoing: dict[tuple[str, str], Outgoing] = {}
        for item in items:
            slot = (item["job_id"], item["dead_letter_id"])
            message, skipped[slot] = _message(item, cipher)
            if message is not None:
                outgoing[slot] = message
        problems = await runtime.broker.publish_each(list(outgoing.values()))
        for slot, problem in zip(outgoing, problems, strict=True):
            if isinstance(problem, Unroutable):
                skipped[slot] = "the queue it failed in is not there: declare the topology and replay it again"
            elif problem is not None:
                raise problem
        if skipped:
            await store.published(connection, [(*slot, why) for slot, why in skipped.items()])
            failed = sum(1 for why in skipped.values() if why)
            log.info("dead_letters_replayed", published=len(skipped) - failed, skipped=failed)
        await store.finish_jobs(connection)
    return len(items)


def _message(item: Row, cipher: Cipher) -> tuple[Outgoing | None, str]:
    """The message to send, or why there is none."""
    identity = item["dead_letter_id"]
    if item["status"] is None or item["status"] == "archived":
        return None, "archived or deleted meanwhile"
    try:
        body = cipher.decrypt(item["body"], context_of(identity, "body"))
        headers = orjson.loads(cipher.decrypt(item["headers"], context_of(identity, "headers")))
    except DecryptionFailed:
        return None, "the encryption key it was stored with is not configured"
    return Outgoing(DEFAULT_EXCHANGE, item["queue"], item["type"], body, replay_headers(headers, identity)), ""
