"""One trace from the request that came in to the write that went out, whatever carries it in between."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import telemetry


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "tracer", provider.get_tracer("test"))
    return exporter


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_trace_goes_from_the_webhook_through_the_handler_to_the_ledger(exporter: InMemorySpanExporter) -> None:
    with telemetry.entry_span("webhook", None):
        carried = telemetry.current_traceparent()
    with telemetry.state_span("mapper.order-normalized", carried) as onward:
        assert onward != carried
    telemetry.record_span("ledger write", onward, 0.25, kind="invoice")
    spans = named(exporter)
    assert len({span.context.trace_id for span in spans.values() if span.context}) == 1
    write, handled = spans["ledger write"], spans["mapper.order-normalized"]
    assert write.parent is not None
    assert handled.context is not None
    assert write.parent.span_id == handled.context.span_id
    assert write.start_time is not None
    assert write.end_time is not None
    assert write.end_time - write.start_time == 250_000_000
    assert write.attributes == {"kind": "invoice"}


def test_an_unsampled_trace_is_passed_on_and_costs_no_span(exporter: InMemorySpanExporter) -> None:
    unsampled = f"00-{'a' * 32}-{'b' * 16}-00"
    with telemetry.state_span("mapper.order-normalized", unsampled) as onward:
        assert onward == unsampled
    telemetry.record_span("ledger write", unsampled, 0.25)
    assert telemetry.sampled(unsampled) is None
    assert named(exporter) == {}


def test_a_request_joins_the_trace_of_its_caller(exporter: InMemorySpanExporter) -> None:
    caller = f"00-{'a' * 32}-{'b' * 16}-01"
    with telemetry.entry_span("GET request", caller):
        pass
    span = named(exporter)["GET request"]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b" * 16
