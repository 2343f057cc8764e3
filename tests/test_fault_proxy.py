"""The fault proxy: each fault is what a client of a broken network sees."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fault_proxy import FaultProxy


class Echo(socketserver.BaseRequestHandler):
    """Gives back what it gets, then its own farewell when the client has said all."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(65_536):
                self.request.sendall(data)
            self.request.sendall(b"farewell")
        except ConnectionError:
            self.server.broken.append(True)  # type: ignore[attr-defined]


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.broken: list[bool] = []
        super().__init__(("127.0.0.1", 0), Echo)


@pytest.fixture
def target() -> Iterator[EchoServer]:
    """A server behind the proxy."""
    with EchoServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(target: EchoServer) -> Iterator[FaultProxy]:
    """A proxy that passes."""
    with FaultProxy(*target.server_address) as proxy:
        yield proxy


def connect(proxy: FaultProxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), 5)
    client.settimeout(5)
    return client


def echoed(client: socket.socket, data: bytes = b"order") -> bytes:
    client.sendall(data)
    return client.recv(100)


def test_passes_both_ways_and_half_closes(proxy: FaultProxy) -> None:
    """Data goes through unchanged, and an end of sending still lets the answer through."""
    big = bytes(range(256)) * 4096
    with connect(proxy) as client:
        threading.Thread(target=lambda: (client.sendall(big), client.shutdown(socket.SHUT_WR))).start()
        received = b"".join(iter(lambda: client.recv(65_536), b""))
    assert received == big + b"farewell"


def test_cut_resets_both_sides_and_lets_new_ones_in(
    proxy: FaultProxy, target: EchoServer, eventually: Callable[..., object]
) -> None:
    """Those connected get a reset, not an end of file; the next client is served."""
    with connect(proxy) as client:
        assert echoed(client) == b"order"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    eventually(lambda: target.broken)
    assert proxy.connections == 0
    with connect(proxy) as client:
        assert echoed(client) == b"order"


def test_stall_holds_everything_back_until_resume(proxy: FaultProxy) -> None:
    """Nothing arrives while stalled, new connections get no answer, and nothing is lost in the end."""
    with connect(proxy) as old:
        assert echoed(old) == b"order"
        proxy.stall()
        with connect(proxy) as new:
            for client in (old, new):
                client.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    echoed(client, b"late")
                client.settimeout(5)
            proxy.resume()
            assert (old.recv(100), new.recv(100)) == (b"late", b"late")


def test_stall_ends_by_itself_after_its_time(proxy: FaultProxy) -> None:
    """With a length it needs no resume."""
    with connect(proxy) as client:
        assert echoed(client) == b"order"
        proxy.stall(0.3)
        started = time.monotonic()
        assert echoed(client) == b"order"
        assert time.monotonic() - started > 0.25


def test_a_stalled_connection_can_be_cut(proxy: FaultProxy) -> None:
    """What was held back is lost when the connection is reset, as in a network."""
    with connect(proxy) as client:
        assert echoed(client) == b"order"
        proxy.stall()
        client.sendall(b"late")
        proxy.cut()
        proxy.resume()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_refuse_is_a_host_without_the_process(proxy: FaultProxy) -> None:
    """Connections are reset and new ones refused, until it listens again at the same port."""
    port = proxy.port
    with connect(proxy) as client:
        assert echoed(client) == b"order"
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.resume()
    assert proxy.port == port
    with connect(proxy) as client:
        assert echoed(client) == b"order"


def test_delay_is_added_in_each_direction(proxy: FaultProxy) -> None:
    """A round trip takes the delay twice, and none after resume."""
    with connect(proxy) as client:
        assert echoed(client) == b"order"
        proxy.delay(0.1)
        started = time.monotonic()
        assert echoed(client) == b"order"
        assert time.monotonic() - started >= 0.2


def test_a_target_that_is_gone_is_a_reset(proxy: FaultProxy, target: EchoServer) -> None:
    """The proxy hides nothing of its target's absence."""
    target.shutdown()
    target.server_close()
    with pytest.raises(ConnectionResetError), connect(proxy) as client:
        client.recv(1)


def test_a_url_is_led_through_the_proxy(target: EchoServer) -> None:
    """Only host and port of the URL change."""
    url = "amqp://guest:p%40ss@localhost:{}/%2F?heartbeat=5"
    with FaultProxy.before(url.format(target.server_address[1])) as proxy:
        assert proxy.through(url.format(5672)) == url.format(proxy.port).replace("localhost", "127.0.0.1")
        with connect(proxy) as client:
            assert echoed(client) == b"order"
    with pytest.raises(ValueError, match="no host and port"):
        FaultProxy.before("amqp://localhost/")
