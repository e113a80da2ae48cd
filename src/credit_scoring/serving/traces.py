"""OpenTelemetry traces: a span per request if `OTEL_` variables name an exporter; otherwise nothing is imported."""

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from credit_scoring.serving.log import RequestFacts

logger = logging.getLogger("credit_scoring.serving")


class Tracer:
    """Makes the spans of requests.

    Args:
        provider: The tracer provider of an OpenTelemetry SDK.
    """

    def __init__(self, provider: Any) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._provider = provider
        self._tracer = provider.get_tracer(__name__)
        self._context = TraceContextTextMapPropagator().extract
        self._server, self._error = trace.SpanKind.SERVER, trace.StatusCode.ERROR

    def start(self, headers: Mapping[bytes, bytes]) -> Any:
        """Start the span of a request, as a part of what its header `traceparent` names."""
        sent = {name: headers.get(name.encode(), b"").decode("latin-1") for name in ("traceparent", "tracestate")}
        return self._tracer.start_span("request", self._context(sent), self._server)

    def end(self, span: Any, facts: RequestFacts, model: Mapping[str, str]) -> None:
        """End a span with what is told of its request."""
        span.update_name(f"{facts.method} {facts.path}")
        attributes = {
            "http.request.method": facts.method,
            "http.route": facts.path,
            "http.response.status_code": facts.status,
            **{f"scoring.{name}": getattr(facts, name) for name in ("id", "key", "rows", "arrival_ms", "scoring_ms")},
            **{f"scoring.{name}": value for name, value in model.items()},
        }
        span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        if facts.status >= 500:
            span.set_status(self._error)
        span.end()

    def finish(self) -> None:
        """Send what waits; a collector that does not take it holds nobody up for longer than a second."""
        sending = threading.Thread(target=self._provider.force_flush, daemon=True)
        sending.start()
        sending.join(1)


def trace_id(span: Any) -> str:
    """Return the id of the trace that a span is part of, 32 hexadecimal digits."""
    return f"{span.get_span_context().trace_id:032x}"


def make_tracer() -> Tracer | None:
    """Return what makes spans and sends them to the collector, if the environment names one and the packages are there.

    The SDK reads its `OTEL_` variables itself: address, headers, sampling, name of the service.
    """
    kind = os.environ.get("OTEL_TRACES_EXPORTER", "")
    named = kind or any(name.startswith("OTEL_EXPORTER_") for name in os.environ)
    if not named or kind == "none" or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if kind not in ("", "otlp"):
        logger.warning("OTEL_TRACES_EXPORTER is not otlp: there are no traces. Hint: otlp over HTTP is what there is.")
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        logger.warning("%s is missing: there are no traces. Hint: pip install 'credit-scoring[traces]'.", error.name)
        return None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider)
