"""Spans of requests, and when there are any."""

import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from credit_scoring.serving.log import RequestFacts
from credit_scoring.serving.traces import Tracer, make_tracer, trace_id

MODEL = {"front_end": "lean", "manifest_sha256": "c0ffee"}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracer(provider)


def test_a_span_says_what_the_line_of_a_request_says(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    span = tracer.start({b"traceparent": f"00-{trace}-{parent}-01".encode()})
    assert trace_id(span) == trace
    facts = RequestFacts("id-1", "POST", "/invocations", "web", 200, 3, 0.5, 1.5, {"granted": 3}, 10, 20)
    tracer.end(span, facts, MODEL)
    (finished,) = exporter.get_finished_spans()
    assert finished.name == "POST /invocations"
    assert f"{finished.parent.span_id:016x}" == parent
    assert dict(finished.attributes) == {
        "http.request.method": "POST",
        "http.route": "/invocations",
        "http.response.status_code": 200,
        "scoring.id": "id-1",
        "scoring.key": "web",
        "scoring.rows": 3,
        "scoring.arrival_ms": 0.5,
        "scoring.scoring_ms": 1.5,
        "scoring.front_end": "lean",
        "scoring.manifest_sha256": "c0ffee",
    }
    assert finished.status.status_code == StatusCode.UNSET


@pytest.mark.parametrize("header", [b"", b"00-0-0-01", b"\xff\xfe", b"00-" + b"f" * 100_000])
def test_what_names_no_trace_begins_one(tracer: Tracer, exporter: InMemorySpanExporter, header: bytes) -> None:
    span = tracer.start({b"traceparent": header})
    tracer.end(span, RequestFacts(trace_id(span), "GET", "other", status=500), MODEL)
    (finished,) = exporter.get_finished_spans()
    assert finished.parent is None
    assert finished.status.status_code == StatusCode.ERROR
    assert finished.attributes["scoring.id"] == f"{finished.context.trace_id:032x}"


def test_without_the_packages_there_are_no_traces_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert make_tracer() is None
    (record,) = caplog.records
    assert record.getMessage().endswith("is missing: there are no traces. Hint: pip install 'credit-scoring[traces]'.")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, ""),
        ({"OTEL_SERVICE_NAME": "scoring"}, ""),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, ""),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, ""),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is not otlp"),
    ],
)
def test_there_are_no_traces_unless_an_exporter_is_named(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert make_tracer() is None
    assert said in caplog.text
    assert bool(said) == bool(caplog.records)
