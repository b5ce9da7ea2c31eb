"""A service ends in bounded time, whatever its work waits for."""

import asyncio

import pytest
from structlog.testing import capture_logs

from common import runtime as runtime_module
from common.runtime import running
from common.settings import ServiceSettings


async def test_work_whose_connection_never_answers_does_not_keep_a_service_from_stopping(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "_POOL_CLOSES_IN_S", 0.2)
    impatient = settings.model_copy(update={"shutdown_grace_s": 0.2})
    held, answer = asyncio.Event(), asyncio.Event()

    async def unanswered() -> None:
        """Hold a connection, as a statement does whose cancellation is never told."""
        async with runtime.pool.acquire():
            held.set()
            try:
                await answer.wait()
            finally:
                await answer.wait()

    with capture_logs() as logs:
        async with asyncio.timeout(20), running("mapper", impatient) as runtime:
            stuck = runtime.spawn(unanswered(), name="unanswered")
            await held.wait()
    assert {"event": "work_did_not_end", "work": "unanswered", "log_level": "warning"} in logs
    assert [entry["waited_s"] for entry in logs if entry["event"] == "pool_terminated"] == [0.2]
    assert not stuck.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await stuck
