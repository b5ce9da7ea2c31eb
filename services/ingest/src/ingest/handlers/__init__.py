"""One file per message that ingest consumes; this table is the whole of its inbox."""

from collections.abc import Callable
from typing import Any

from common.handling import Handler
from ingest.handlers import resend_requested, settings_changed, state_requested, task_requested, tenant_deleted


def handlers(wake: Callable[[], None], forget: Callable[[str], None]) -> tuple[Handler[Any, Any], ...]:
    """The handlers. `wake` starts workers early, `forget` drops a connection from the cache; both may be lost."""
    return (
        task_requested.handler(wake),
        settings_changed.handler(wake, forget),
        resend_requested.handler(wake),
        state_requested.handler(wake),
        tenant_deleted.FORGETTING.handler(),
    )
