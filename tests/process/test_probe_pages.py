"""The pages for probes and Prometheus."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

import pytest

from worker.interprocess import heartbeat
from worker.interprocess.heartbeat import Heartbeat
from worker.process import probe_pages
from worker.process.probe_pages import BrokerView
from worker.telemetry.readiness import Readiness


@dataclass
class Watched:
    """What the monitor would see."""

    broker: BrokerView | None = None
    heartbeat: Heartbeat = field(default_factory=lambda: Heartbeat(2))
    stopped: bool = False
    dead: str | None = None
    ready: Readiness = field(default_factory=Readiness)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def server(watched: Watched) -> Iterator[ThreadingHTTPServer]:
    """The pages on a free port."""
    observed = probe_pages.Observed(
        lambda: watched.broker,
        lambda: watched.stopped,
        watched.heartbeat,
        ("fiscalize.follow_up", "fiscalize.retry"),
    )
    pages = probe_pages.ProbePages(observed, lambda: watched.dead, lambda: watched.ready)
    server = probe_pages.server(probe_pages.listen(0), pages)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def page(server: ThreadingHTTPServer, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    """Status, content type and text."""
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=5)
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()
    with answer:
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz?probe=1"])
def test_all_is_well(server: ThreadingHTTPServer, path: str) -> None:
    """200 and a word for people."""
    assert page(server, path) == (200, "text/plain; charset=utf-8", "ok\n")


def test_alive_and_ready_say_what_is_wrong(server: ThreadingHTTPServer, watched: Watched) -> None:
    """Each on its own: a broker that is away makes a worker unready and not dead."""
    watched.ready = Readiness(("consuming: 0 of 2 processes",))
    assert page(server, "/readyz")[::2] == (503, "consuming: 0 of 2 processes\n")
    assert page(server, "/healthz")[0] == 200
    watched.dead = "silent processes: 1 of 2"
    assert page(server, "/healthz")[::2] == (503, "silent processes: 1 of 2\n")


def test_ready_says_why_not_to_people_and_to_programs(server: ThreadingHTTPServer, watched: Watched) -> None:
    """One line with every reason, or JSON for who accepts it; a warning leaves the worker ready."""
    watched.ready = Readiness(("a", "b"), ("c",))
    assert page(server, "/readyz") == (503, "text/plain; charset=utf-8", "a; b; warning: c\n")
    status, kind, body = page(server, "/readyz", accept="application/json")
    assert (status, kind) == (503, "application/json")
    assert json.loads(body) == {"ready": False, "reasons": ["a", "b"], "warnings": ["c"]}
    watched.ready = Readiness(warnings=("c",))
    assert page(server, "/readyz")[::2] == (200, "ok; warning: c\n")
    status, _, body = page(server, "/readyz", accept="application/json")
    assert status == 200
    assert json.loads(body) == {"ready": True, "reasons": [], "warnings": ["c"]}


def test_who_connects_and_says_nothing_keeps_no_thread(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each connection has a thread of its own until it ends."""
    monkeypatch.setattr(probe_pages, "SILENCE", 0.2)
    server: ThreadingHTTPServer = request.getfixturevalue("server")
    with socket.create_connection(server.server_address[:2], timeout=10) as silent:
        silent.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert silent.recv(1) == b""


def test_other_pages_are_not_there(server: ThreadingHTTPServer) -> None:
    """A probe with a wrong path must not be green."""
    assert page(server, "/")[0] == 404
    assert page(server, "/health")[0] == 404


def test_queues_are_shown_as_they_are_now_and_are_absent_when_unknown(
    server: ThreadingHTTPServer, watched: Watched
) -> None:
    """An old figure would look like a healthy queue."""
    watched.broker = BrokerView({"fiscalize": 7, "fiscalize.dead_letters": 0}, {"fiscalize": 2}, 1, 0)
    status, kind, text = page(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert 'fiscal_queue_messages{queue="fiscalize"} 7.0' in text
    assert 'fiscal_queue_messages{queue="fiscalize.dead_letters"} 0.0' in text
    watched.broker = None
    assert "fiscal_queue_messages{" not in page(server, "/metrics")[2]


def test_a_worker_that_stopped_itself_shows_it(server: ThreadingHTTPServer, watched: Watched) -> None:
    """``fiscal_consuming`` is 0 then, and 1 otherwise."""
    assert "fiscal_consuming 1.0" in page(server, "/metrics")[2]
    watched.stopped = True
    assert "fiscal_consuming 0.0" in page(server, "/metrics")[2]


def test_a_process_is_dead_when_it_was_silent_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has not started is not; one that is being replaced is not; each beat counts anew."""
    now = [1000.0]
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: now[0])
    beats = Heartbeat(3)
    beats.beat(0, consuming=True)
    beats.beat(1, consuming=True)
    now[0] += heartbeat.SILENCE
    assert (beats.silent, beats.consuming, beats.processes) == ([], 2, 3)
    now[0] += 1
    assert beats.silent == [0, 1]
    beats.beat(0, consuming=False)
    beats.gone(1)
    assert (beats.silent, beats.consuming) == ([], 0)
