"""Metrics of the runtime, and traces that follow a state from webhook to ledger.

A span per state is only made where the incoming `traceparent` says it is sampled: at full rate the spans would cost
more than the domain work.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

STATES_HANDLED = Counter("tillbook_states_handled_total", "States by queue and outcome", ["queue", "outcome"])
BATCH_STATES = Histogram(
    "tillbook_batch_states", "States in one transaction", ["queue"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
BATCH_SECONDS = Histogram("tillbook_batch_seconds", "Duration of a batch", ["queue"], buckets=_BUCKETS_S)
CONSUMER_PAUSED = Gauge("tillbook_consumer_paused", "1 while the database or broker is away", ["queue"])
OUTBOX_UNPUBLISHED = Gauge("tillbook_outbox_unpublished", "Outgoing rows that no broker has confirmed")
OUTBOX_OLDEST_S = Gauge("tillbook_outbox_oldest_seconds", "Age of the oldest unpublished row")
OUTBOX_UNROUTABLE = Gauge("tillbook_outbox_unroutable", "1 while no queue takes messages of this type", ["type"])
OUTBOX_PUBLISHED = Counter("tillbook_outbox_published_total", "Outgoing rows confirmed by the broker")
HTTP_REQUESTS = Counter("tillbook_http_requests_total", "Answers by route and status", ["method", "route", "status"])
HTTP_SECONDS = Histogram("tillbook_http_seconds", "Time to answer", ["method", "route"], buckets=_BUCKETS_S)
FAULTS = Counter("tillbook_faults_total", "Bugs that work went on without, by where they were met", ["event"])
LANE_STUCK = Counter("tillbook_lane_stuck_total", "Times that a lane could not get at its ledger")
RECONNECT_NOTICES_WAITING = Gauge(
    "tillbook_reconnect_notices_waiting",
    "Company files whose people are still to be told that the sign-in ended; the same on every replica",
)
MIRROR_DIFFERENCE = Gauge(
    "tillbook_mirror_difference",
    "Entities of all tenants that a mirror lacks, has too many or stale, as last compared; the same on every replica",
    ["mirror", "entity"],
)
UPSTREAM_REQUESTS = Counter("tillbook_upstream_requests_total", "Outbound calls", ["system", "method", "status"])
UPSTREAM_SECONDS = Histogram("tillbook_upstream_seconds", "Outbound call time", ["system"], buckets=_BUCKETS_S)

_PROPAGATOR = TraceContextTextMapPropagator()
_ODD_DIGITS = "13579bdf"
_NANOSECONDS = 1_000_000_000
tracer: trace.Tracer | None = None
"""None until `configure_tracing`: a tracer that records nothing costs a webhook as much as checking its signature."""


def configure_tracing(service: str, endpoint: str, ratio: float = 0.05) -> None:
    """Export spans to an OTLP/HTTP collector. Call once at start; without a call spans cost nothing."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"tillbook-{service}"}),
        sampler=ParentBased(TraceIdRatioBased(ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    global tracer  # noqa: PLW0603 - one a process, like the library's own provider
    tracer = trace.get_tracer("tillbook")


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the span that is open here, if any."""
    if tracer is None:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def sampled(traceparent: str | None) -> str | None:
    """The traceparent if its trace is recorded, else None: what is worth keeping with a row."""
    # The last two digits are flags: bit 0 is "sampled", others (such as "random trace id") may stand beside it.
    is_sampled = traceparent is not None and traceparent[-1:] in _ODD_DIGITS and traceparent[-1:] != ""
    return traceparent if is_sampled else None


def state_span(name: str, traceparent: str | None) -> AbstractContextManager[str | None]:
    """Span for handling one state, child of whoever sent it. Gives the traceparent that outgoing states carry."""
    if tracer is None or sampled(traceparent) is None:
        return nullcontext(traceparent)
    return _child_span(tracer, name, traceparent)


@contextmanager
def _child_span(recorder: trace.Tracer, name: str, traceparent: str | None) -> Iterator[str | None]:
    parent = _PROPAGATOR.extract({"traceparent": traceparent})
    with recorder.start_as_current_span(name, context=parent):
        yield current_traceparent() or traceparent


def entry_span(name: str, traceparent: str | None) -> AbstractContextManager[object]:
    """Span for a request from outside: the start of a trace, or part of the caller's. Sampled by ratio."""
    if tracer is None:
        return nullcontext()
    parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
    return tracer.start_as_current_span(name, context=parent)


def record_span(name: str, traceparent: str | None, seconds: float, **attributes: str) -> None:
    """Record after the fact what took `seconds` until now on behalf of a state, if its trace is sampled.

    For work that is done for many states in one call, such as a lane's batch.
    """
    if tracer is None or sampled(traceparent) is None:
        return
    ended = time.time_ns()
    parent = _PROPAGATOR.extract({"traceparent": traceparent})
    started = ended - int(seconds * _NANOSECONDS)
    tracer.start_span(name, context=parent, start_time=started, attributes=attributes).end(ended)
