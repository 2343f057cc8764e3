"""``/metrics``, ``/healthz`` and ``/readyz``.

Alive is judged by the heartbeat of the worker processes and never by a dependency: a restart does not bring
RabbitMQ or Checkbox back. Ready is consuming.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

#: Status and body.
Answer = tuple[int, bytes]


class KnownOnly(Collector):
    """What the processes counted; a gauge set to NaN is unknown, and what is unknown is absent."""

    def __init__(self) -> None:
        self._processes = MultiProcessCollector(None)

    def collect(self) -> Iterable[Metric]:
        for metric in self._processes.collect():
            metric.samples = [sample for sample in metric.samples if not math.isnan(sample.value)]
            yield metric


class Observed(Collector):
    """What the monitor sees now; ``queue_messages`` is empty while the broker does not answer."""

    def __init__(self, queue_messages: Callable[[], Mapping[str, int]], stopped: Callable[[], bool]) -> None:
        self._queue_messages = queue_messages
        self._stopped = stopped

    def collect(self) -> Iterable[Metric]:
        queues = GaugeMetricFamily(
            "fiscal_queue_messages",
            "Ready messages; absent while the broker does not tell.",
            labels=["queue"],
        )
        for queue, messages in self._queue_messages().items():
            queues.add_metric([queue], messages)
        yield queues
        yield GaugeMetricFamily(
            "fiscal_consuming", "0 when the worker stopped itself, else 1.", value=0 if self._stopped() else 1
        )


def server(
    port: int, observed: Observed, alive: Callable[[], str | None], ready: Callable[[], str | None]
) -> ThreadingHTTPServer:
    """The HTTP server; ``alive`` and ``ready`` tell what is wrong, or None."""
    registry = CollectorRegistry()
    registry.register(KnownOnly())
    registry.register(observed)

    def verdict(problem: str | None) -> Answer:
        return (503, problem.encode() + b"\n") if problem else (200, b"ok\n")

    pages: Mapping[str, Callable[[], Answer]] = {
        "/metrics": lambda: (200, generate_latest(registry)),
        "/healthz": lambda: verdict(alive()),
        "/readyz": lambda: verdict(ready()),
    }

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            status, body = pages[path]() if path in pages else (404, b"not found\n")
            self.send_response(status)
            kind = CONTENT_TYPE_LATEST if path == "/metrics" else "text/plain; charset=utf-8"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Probes every few seconds are no news."""

    return ThreadingHTTPServer(("", port), Page)
