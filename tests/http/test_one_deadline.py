"""One time limit for a call, whatever lies below: name, addresses, proxy, TLS, TLS in TLS, the answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from tests.checkbox.scripted_server import ScriptedServer, answer
from tests.system.tls import Authority, TlsFront
from worker.http.call import Answer, NoAnswer, Timeouts, call
from worker.http.connections import Connections

#: A step may take longer than the call.
TIMEOUTS = Timeouts(connect=5.0, read=5.0, write=5.0, whole=1.0)
#: Well under two of those steps.
SOON = 4.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def get(url: str, timeouts: Timeouts = TIMEOUTS) -> Answer:
    with Connections() as connections:
        return call(connections.to(url), "GET", "/", [], timeouts, 1000)


def fault_of(url: str, timeouts: Timeouts = TIMEOUTS) -> str:
    """Why there is no answer, which is known soon."""
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        get(url, timeouts)
    assert time.monotonic() - began < SOON
    return caught.value.reason


@contextmanager
def taking_no_connections(address: str, port: int) -> Iterator[None]:
    """Its backlog is full: the system drops what comes, as a firewall does."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((address, port))
        full.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


@contextmanager
def named(monkeypatch: pytest.MonkeyPatch, addresses: list[str], port: int) -> Iterator[str]:
    """A name with several addresses; the last ``port`` counts for all of them."""
    real = socket.getaddrinfo

    def look_up(host: str, *arguments: Any, **named: Any) -> Any:
        if host != "several.test":
            return real(host, *arguments, **named)
        if named.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield f"http://several.test:{port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each of them has all of it."""
    port, silent = free_port(), [f"127.0.0.{last}" for last in range(2, 8)]
    with ExitStack() as stack:
        for address in silent:
            stack.enter_context(taking_no_connections(address, port))
        url = stack.enter_context(named(monkeypatch, silent, port))
        assert fault_of(url) == "connect_timeout"
        assert fault_of(url, Timeouts(connect=1.0, whole=60.0)) == "connect_timeout"


def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers is reached within the same time."""
    with ScriptedServer(answer(200, b"here")) as server, ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        stack.enter_context(taking_no_connections("127.0.0.2", port))
        url = stack.enter_context(named(monkeypatch, ["127.0.0.2", "127.0.0.1"], port))
        assert get(url, Timeouts(connect=1.0)).body == b"here"


def test_a_name_look_up_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system cannot be told how long it may take; a second call adds no second thread."""
    over = threading.Event()
    asked: list[str] = []
    real = socket.getaddrinfo

    def hang(host: str, *arguments: Any, **named: Any) -> Any:
        if named.get("flags"):
            return real(host, *arguments, **named)
        asked.append(host)
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "the name server keeps silent")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with Connections() as connections:
        for _ in range(2):
            with pytest.raises(NoAnswer) as caught:
                call(connections.to("http://slow.test"), "GET", "/", [], Timeouts(connect=0.3), 1000)
            assert caught.value.reason == "connect_timeout"
        assert asked == ["slow.test"]
        over.set()


@pytest.mark.parametrize("name", ["none.invalid", "x" * 64 + ".test", "a..b"])
def test_a_name_without_an_address_is_a_connection_that_did_not_come_about(name: str) -> None:
    """A name that cannot be one as well."""
    assert fault_of(f"http://{name}") == "connect_error"


Serve = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """A server of a port that answers as told, a thread for each connection."""
    over = threading.Event()

    def accept() -> None:
        with suppress(OSError):
            while True:
                taken, _ = listening.accept()
                threading.Thread(target=quietly, args=(taken,), daemon=True).start()

    def quietly(taken: socket.socket) -> None:
        with taken, suppress(OSError):
            serve(taken, over)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listening.getsockname()[1])
        over.set()
        listening.shutdown(socket.SHUT_RDWR)


def drip_a_record(taken: socket.socket, over: threading.Event) -> None:
    """The head of a long TLS record, and then a byte now and then."""
    taken.recv(65536)
    taken.sendall(b"\x16\x03\x03\x3f\xff")
    while not over.wait(0.1):
        taken.sendall(b"\x02")


def tunnel(then: Serve) -> Serve:
    """A proxy: what it says to ``CONNECT``, and then."""

    def serve(taken: socket.socket, over: threading.Event) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += taken.recv(65536)
        taken.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        then(taken, over)

    return serve


def relay(port: int) -> Serve:
    def serve(taken: socket.socket, over: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", port)) as target:
            back = threading.Thread(target=pump, args=(target, taken), daemon=True)
            back.start()
            pump(taken, target)
            back.join(5)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    return serve


def drip_a_head(taken: socket.socket, over: threading.Event) -> None:
    taken.sendall(b"HTTP/1.1 200 OK\r\nx-drip: ")
    while not over.wait(0.1):
        taken.sendall(b"x")


def test_tls_that_drips_ends_in_time() -> None:
    """The handshake has one time limit, not one for each read."""
    with serving(drip_a_record) as port:
        assert fault_of(f"https://localhost:{port}") == "connect_timeout"
        assert fault_of(f"https://localhost:{port}", Timeouts(connect=1.0, whole=60.0)) == "connect_timeout"


@pytest.mark.parametrize(
    "serve", [drip_a_head, tunnel(drip_a_record)], ids=["answer to CONNECT", "TLS in TLS"]
)
def test_a_proxy_that_drips_ends_in_time(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is spoken to by TLS, so that there is TLS in TLS."""
    with serving(serve) as port, TlsFront(port, authority) as proxy:
        trust(monkeypatch, authority, f"https://localhost:{proxy.port}")
        assert fault_of("https://checkbox.test") in ("connect_timeout", "timeout")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_site_is_reached_through_a_proxy(
    scheme: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spoken to plainly, and by TLS; several calls share the tunnel."""
    with ExitStack() as stack:
        server = stack.enter_context(ScriptedServer(answer(200, b"x" * 900)))
        site = stack.enter_context(TlsFront(int(server.url.rpartition(":")[2]), authority))
        port = stack.enter_context(serving(tunnel(relay(site.port))))
        if scheme == "https":
            port = stack.enter_context(TlsFront(port, authority)).port
        trust(monkeypatch, authority, f"{scheme}://localhost:{port}")
        with Connections() as connections:
            for _ in range(3):
                reached = call(connections.to("https://localhost:1"), "GET", "/", [], Timeouts(), 1000)
                assert reached.body == b"x" * 900
    assert server.connections == 1


def trust(monkeypatch: pytest.MonkeyPatch, authority: Authority, proxy: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    monkeypatch.setenv("HTTPS_PROXY", proxy)


def test_a_certificate_of_nobody_s_is_refused(authority: Authority) -> None:
    """The authority is not known here."""
    with serving(relay(1)) as port, TlsFront(port, authority) as site:
        assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
        assert fault_of(f"https://localhost:{site.port}") == "connect_error"
