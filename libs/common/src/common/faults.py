"""What a bug of ours leaves behind where work goes on without what it was about: a line in the log, and a count."""

from typing import Literal, get_args

import structlog

from common.recovery import first_own_frame, way_to
from common.telemetry import FAULTS

log = structlog.get_logger(__name__)

Event = Literal[
    "batch_stumbled",
    "document_not_announced",
    "order_stumbled",
    "set_left_out",
    "source_not_held",
    "source_set_aside",
    "state_left_out",
]
for _event in get_args(Event):
    # There from the start at 0: of a series that begins at 1 Prometheus sees no increase.
    FAULTS.labels(_event)


def log_fault(event: Event, error: Exception, **facts: str) -> None:
    """Log where a bug is, without the text of its error, which may quote what it choked on."""
    FAULTS.labels(event).inc()
    log.error(event, error=type(error).__name__, frame=first_own_frame(error), traceback=way_to(error), **facts)
