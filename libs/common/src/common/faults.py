"""What a bug of ours leaves behind where work goes on without what it was about: a line in the log, and a count."""

import structlog

from common.recovery import first_own_frame, way_to
from common.telemetry import FAULTS

log = structlog.get_logger(__name__)


def log_fault(event: str, error: Exception, **facts: str) -> None:
    """Log where a bug is, without the text of its error, which may quote what it choked on. `event` is a constant."""
    FAULTS.labels(event).inc()
    log.error(event, error=type(error).__name__, frame=first_own_frame(error), traceback=way_to(error), **facts)
