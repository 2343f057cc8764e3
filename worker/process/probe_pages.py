"""``/metrics``, ``/healthz``, ``/readyz``, and ``/orders/<uuid or docNumber>`` for this machine alone.

Alive is judged by the heartbeat of the worker processes and never by a dependency: a restart does not bring
RabbitMQ or Checkbox back. Ready is consuming.
"""

from __future__ import annotations

import json
import math
import platform
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from worker import __version__
from worker.interprocess.heartbeat import Heartbeat
from worker.telemetry import metrics
from worker.telemetry.catalogue import Described, family
from worker.telemetry.counting import Counted
from worker.telemetry.readiness import Readiness

#: Status, content type and body.
Answer = tuple[int, str, bytes]
#: Seconds after which who connected and says nothing is disconnected.
SILENCE = 10.0
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"
_ORDERS = "/orders/"


@dataclass(frozen=True, slots=True)
class BrokerView:
    """One look at the broker: ready messages and consumers of our queues, and of the events that go out."""

    messages: Mapping[str, int]
    consumers: Mapping[str, int]
    events_unread: int
    events_consumers: int


class KnownOnly(Collector):
    """What the processes counted. A gauge set to NaN, and a time that was never set, are unknown: absent."""

    def __init__(self) -> None:
        self._processes = Counted()

    def collect(self) -> Iterable[Metric]:
        for metric in self._processes.collect():
            never = 0.0 if metric.name.endswith("_timestamp_seconds") else math.nan
            metric.samples = [
                sample for sample in metric.samples if not math.isnan(sample.value) and sample.value != never
            ]
            yield metric


class Observed(Collector):
    """What the monitor sees now; ``broker`` gives None while the broker does not answer."""

    def __init__(
        self,
        broker: Callable[[], BrokerView | None],
        stopped: Callable[[], bool],
        heartbeat: Heartbeat,
        held_in: tuple[str, str],
    ) -> None:
        self._broker = broker
        self._stopped = stopped
        self._heartbeat = heartbeat
        self._held_in = held_in

    def collect(self) -> Iterable[Metric]:
        view, heartbeat, held = self._broker(), self._heartbeat, self._heartbeat.held
        if view is not None:
            yield _labelled(metrics.QUEUE_MESSAGES, view.messages)
            yield _labelled(metrics.QUEUE_CONSUMERS, view.consumers)
            yield _plain(metrics.EVENTS_UNREAD, view.events_unread)
            yield _plain(metrics.EVENTS_CONSUMERS, view.events_consumers)
        yield _plain(metrics.BROKER_UP, view is not None)
        yield _plain(metrics.CONSUMING, not self._stopped())
        yield _plain(metrics.PROCESSES, heartbeat.processes)
        yield _plain(metrics.PROCESSES_CONSUMING, heartbeat.consuming)
        yield _labelled(metrics.HEARTBEAT, {str(slot): beat for slot, beat in heartbeat.last_beats.items()})
        yield _plain(metrics.IN_FLIGHT, held.in_flight)
        yield _labelled(metrics.WAITING, dict(zip(self._held_in, (held.follow_up, held.retry), strict=True)))
        if held.oldest_first_seen:
            yield _plain(metrics.OLDEST_WAITING, held.oldest_first_seen)
        yield _plain(metrics.UNKNOWN_WAITING, held.unknown)
        if held.oldest_unknown:
            yield _plain(metrics.OLDEST_UNKNOWN, held.oldest_unknown)
        info = family(metrics.BUILD_INFO)
        info.add_metric([__version__, platform.python_version()], 1)
        yield info


def _plain(described: Described, value: float) -> Metric:
    shown = family(described)
    shown.add_metric([], value)
    return shown


def _labelled(described: Described, values: Mapping[str, float]) -> Metric:
    shown = family(described)
    for label, value in values.items():
        shown.add_metric([label], value)
    return shown


def listen(port: int) -> socket.socket:
    """The socket of the pages; raises ``OSError`` when the port is taken.

    Taken before anything is forked, so that a port that is not to be had stops the start, and a monitor that
    is replaced finds its socket still open.
    """
    return socket.create_server(("", port), reuse_port=False, backlog=128)


@dataclass(frozen=True, slots=True)
class ProbePages:
    """What the pages show: ``alive`` gives what is wrong, or None."""

    observed: Observed
    alive: Callable[[], str | None]
    ready: Callable[[], Readiness]
    #: What the processes hold of an order; shown only on this machine.
    held: Callable[[str], Mapping[str, Any]] | None = None

    def answer(self, path: str, accepted: str, registry: CollectorRegistry, *, is_near: bool) -> Answer:
        """``accepted`` is the request's ``Accept``; ``is_near``: it comes from this machine."""
        match path:
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
            case "/healthz":
                problem = self.alive()
                return (503, _TEXT, problem.encode() + b"\n") if problem else (200, _TEXT, b"ok\n")
            case "/readyz":
                found = self.ready()
                kind, body = (_JSON, found.json) if _JSON in accepted else (_TEXT, found.text)
                return 200 if found.is_ready else 503, kind, body.encode()
        if is_near and path.startswith(_ORDERS) and self.held is not None:
            return 200, _JSON, json.dumps(self.held(unquote(path.removeprefix(_ORDERS)))).encode()
        return 404, _TEXT, b"not found\n"


def server(listening: socket.socket, pages: ProbePages) -> ThreadingHTTPServer:
    """The HTTP server on the socket of ``listen``."""
    registry = CollectorRegistry()
    registry.register(KnownOnly())
    registry.register(pages.observed)

    class Page(BaseHTTPRequestHandler):
        timeout = SILENCE

        def do_GET(self) -> None:
            path, accepted = urlsplit(self.path).path, self.headers.get("Accept", "")
            is_near = ip_address(self.client_address[0]).is_loopback
            status, kind, body = pages.answer(path, accepted, registry, is_near=is_near)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Probes every few seconds are not worth a line."""

    pages_server = ThreadingHTTPServer(listening.getsockname()[:2], Page, bind_and_activate=False)
    pages_server.socket.close()
    pages_server.socket = listening
    return pages_server
