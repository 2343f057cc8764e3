"""The trace context: what a message carries is on all that follows from it, and in spans where wanted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pika
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.system.shop import Shop
from tests.telemetry.orders import order, request_id
from worker.demo.sandbox_process import SandboxProcess
from worker.rabbit.topology import EVENTS_QUEUE
from worker.telemetry import trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def with_attributes(body: bytes, **attributes: str) -> bytes:
    """The event with extension attributes."""
    return json.dumps({**json.loads(body), **attributes}).encode()


class Recorder:
    """A server that keeps what it gets: it passes Checkbox's calls on, and takes spans."""

    def __init__(self, target: str) -> None:
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.spans: list[Any] = []
        recorder = self

        class Page(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                recorder._pass_on(self, target)

            def do_POST(self) -> None:
                if self.path == "/v1/traces":
                    recorder._take(self)
                else:
                    recorder._pass_on(self, target)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """The tests' output is no place for it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _pass_on(self, page: BaseHTTPRequestHandler, target: str) -> None:
        headers = {name.lower(): value for name, value in page.headers.items()}
        self.requests.append((page.path, headers))
        body = page.rfile.read(int(headers.get("content-length", "0")))
        sent = {name: value for name, value in headers.items() if name not in ("host", "content-length")}
        answer = httpx2.request(page.command, target + page.path, headers=sent, content=body, trust_env=False)
        self._answer(page, answer.status_code, answer.headers["content-type"], answer.content)

    def _take(self, page: BaseHTTPRequestHandler) -> None:
        received = ExportTraceServiceRequest()
        body = page.rfile.read(int(page.headers["content-length"]))
        received.ParseFromString(body)
        for resource in received.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        self._answer(page, 200, "application/x-protobuf", ExportTraceServiceResponse().SerializeToString())

    @staticmethod
    def _answer(page: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
        page.send_response(status)
        page.send_header("content-type", kind)
        page.send_header("content-length", str(len(body)))
        page.end_headers()
        page.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def recorder(shop_sandbox: SandboxProcess) -> Iterator[Recorder]:
    recorder = Recorder(shop_sandbox.url)
    yield recorder
    recorder.close()


def next_event(running: Shop, body: bytes, eventually: Callable[..., Any]) -> tuple[str, Mapping[str, Any]]:
    """Routing key and AMQP headers of the next event, which is one of the order's."""
    with pika.BlockingConnection(pika.URLParameters(running.vhost.url)) as connection:
        channel = connection.channel()
        got = eventually(lambda: (found := channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] and found)
        assert json.loads(got[2])["data"]["requestId"] == request_id(body)
        return got[0].routing_key, got[1].headers or {}


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"traceparent": PARENT}, {"traceparent": PARENT}),
        ({"traceparent": PARENT, "tracestate": "a=1,b=2"}, {"traceparent": PARENT, "tracestate": "a=1,b=2"}),
        ({"traceparent": PARENT, "tracestate": " a=1 "}, {"traceparent": PARENT, "tracestate": "a=1"}),
        ({"traceparent": PARENT, "tracestate": "  "}, {"traceparent": PARENT}),
        ({"traceparent": PARENT, "tracestate": "a=+380501234567"}, {"traceparent": PARENT}),
        ({"traceparent": PARENT, "tracestate": "a=1\r\nx: y"}, {"traceparent": PARENT}),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, {}),
        ({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, {}),
        ({"traceparent": PARENT.upper()}, {}),
        ({"tracestate": "a=1"}, {}),
    ],
)
def test_only_a_well_formed_context_is_carried(members: Mapping[str, Any], kept: Mapping[str, str]) -> None:
    """It goes into requests to Checkbox: nothing personal, and nothing that ends a header."""
    assert trace.carried_by(members) == kept
    assert trace.carried_in(json.dumps(members).encode()) == kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"traceparent": ',
        b'["traceparent"]',
        b'{"data": {"traceparent": "' + PARENT.encode() + b'"}}',
        b'{"traceparent": 5}',
        b'"traceparent"' + b"[" * 100_000,
    ],
)
def test_a_body_that_has_none_carries_none(body: bytes) -> None:
    """Whatever is in it; the attribute of the event counts, and no member below it."""
    assert trace.carried_in(body) == {}


@pytest.mark.parametrize(
    ("headers", "attributes"),
    [
        ({"traceparent": PARENT, "tracestate": "bimp=1"}, {}),
        ({}, {"traceparent": PARENT, "tracestate": "bimp=1"}),
        ({"traceparent": PARENT, "tracestate": "bimp=1"}, {"traceparent": OTHER}),
    ],
    ids=["headers", "attributes", "headers_win"],
)
def test_the_context_goes_to_checkbox_and_into_log_and_event(
    shop: Callable[..., Shop],
    recorder: Recorder,
    eventually: Callable[..., Any],
    headers: dict[str, str],
    attributes: dict[str, str],
) -> None:
    """Also after a fault, when the message came back through a queue of ours."""
    running = shop(FISCAL_CHECKBOX_URL=recorder.url)
    running.sandbox.fault("error_500", count=1, endpoint="POST /receipts/sell")
    body = with_attributes(order(), **attributes)
    running.publish(body, headers=headers)
    for outcome in ("delayed", "succeeded"):
        key, carried = next_event(running, body, eventually)
        assert key == f"fiscalization.{outcome}"
        assert {name: carried[name] for name in ("traceparent", "tracestate")} == {
            "traceparent": PARENT,
            "tracestate": "bimp=1",
        }
    assert len(recorder.requests) >= 5
    assert {sent.get("traceparent") for _, sent in recorder.requests} == {PARENT}
    lines = eventually(lambda: _lines_to_the_end(running))
    assert {(line["trace_id"], line["span_id"]) for line in lines} == {(TRACE, PARENT.split("-")[2])}


def _lines_to_the_end(running: Shop) -> list[dict[str, Any]] | None:
    """The lines of all passes, once the last is written."""
    lines = [line for line in running.worker.lines() if line["event"] == "request_processed"]
    return lines if lines and lines[-1]["outcome"] == "succeeded" else None


def test_without_a_context_none_is_made_up(
    shop: Callable[..., Shop], recorder: Recorder, eventually: Callable[..., Any]
) -> None:
    """No header, no id in the log."""
    running = shop(FISCAL_CHECKBOX_URL=recorder.url)
    body = order()
    running.publish(body)
    key, carried = next_event(running, body, eventually)
    assert key == "fiscalization.succeeded"
    assert not {"traceparent", "tracestate"} & carried.keys()
    assert eventually(lambda: _lines_to_the_end(running))
    assert not any("traceparent" in sent for _, sent in recorder.requests)
    assert not any("trace_id" in line for line in running.worker.lines())


def test_spans_hang_together_from_bimp_to_checkbox(
    shop: Callable[..., Shop], recorder: Recorder, eventually: Callable[..., Any]
) -> None:
    """A pass is a child of Bimp's span, a call to Checkbox one of the pass; the event names the pass."""
    running = shop(
        FISCAL_CHECKBOX_URL=recorder.url,
        OTEL_EXPORTER_OTLP_ENDPOINT=recorder.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    body = order(buyer={"email": "marked.buyer@marked-mail.example", "phone": "+380671112233"})
    running.publish(body, headers={"traceparent": PARENT})
    _, carried = next_event(running, body, eventually)
    last = eventually(lambda: _span_of_success(recorder))  # spans are sent in the order of their ends
    spans = {span.span_id.hex(): span for span in recorder.spans}
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    passes = [span for span in spans.values() if span.name.startswith("process fiscalize")]
    assert {span.parent_span_id.hex() for span in passes} == {PARENT.split("-")[2]}
    assert _attributes(last)["fiscal.request_id"] == request_id(body)
    assert carried["traceparent"].split("-")[1:3] == [TRACE, last.span_id.hex()]
    calls = [span for span in spans.values() if span not in passes]
    assert {span.parent_span_id.hex() for span in calls} <= {span.span_id.hex() for span in passes}
    assert "POST /api/v1/receipts/sell" in {span.name for span in calls}
    sent = {headers["traceparent"].split("-")[2] for path, headers in recorder.requests if "/api/" in path}
    assert sent == {span.span_id.hex() for span in calls}
    assert "marked" not in str(recorder.spans)
    assert "380671112233" not in str(recorder.spans)


def _span_of_success(recorder: Recorder) -> Any:
    outcomes = ((_attributes(span).get("fiscal.outcome"), span) for span in recorder.spans)
    return next((span for outcome, span in outcomes if outcome == "succeeded"), None)


def _attributes(span: Any) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}
