"""Connections whose sockets do not block: bodies larger than what a socket takes, plain and by TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore2
import pytest

from tests.system.tls import Authority
from worker.http.deadline import Deadline
from worker.http.streams import Backend

#: More than the buffers of both sides hold.
LARGE = bytes(range(256)) * 64 * 1024
Serve = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@contextmanager
def connected(serve: Serve, authority: Authority | None = None) -> Iterator[httpcore2.NetworkStream]:
    """To a server of one connection, by TLS where there is an authority."""

    def accept() -> None:
        taken, _ = listening.accept()
        with taken:
            if authority is None:
                serve(taken)
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate, authority.key)
            with context.wrap_socket(taken, server_side=True) as private:
                serve(private)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=accept, daemon=True)
        server.start()
        stream = Backend().connect_tcp("127.0.0.1", listening.getsockname()[1], 5.0)
        if authority is not None:
            context = ssl.create_default_context(cafile=str(authority.ca))
            stream = stream.start_tls(context, "localhost", 5.0)
        yield stream
        stream.close()
        server.join(10)
    assert not server.is_alive()


@pytest.mark.parametrize("is_private", [False, True], ids=["plain", "TLS"])
def test_large_bodies_pass_in_both_directions(is_private: bool, authority: Authority) -> None:
    """What the socket does not take at once follows; what TLS has unpacked is read before more is awaited."""

    def echo(connection: socket.socket) -> None:
        received = bytearray()
        while len(received) < len(LARGE):
            received += connection.recv(65536)
        connection.sendall(received)

    with connected(echo, authority if is_private else None) as stream:
        half = len(LARGE) // 2
        stream.write(LARGE[:half], 5.0)
        stream.write(LARGE[half:], 5.0)
        back = bytearray()
        while len(back) < len(LARGE):
            piece = stream.read(1000, 5.0)
            assert piece
            back += piece
    assert back == LARGE


def test_the_end_of_the_other_side_is_the_end() -> None:
    """As the library's streams tell it."""
    with connected(lambda connection: connection.sendall(b"all")) as stream:
        assert stream.read(100, 5.0) == b"all"
        assert stream.read(100, 5.0) == b""


@pytest.mark.parametrize("is_private", [False, True], ids=["plain", "TLS"])
def test_who_takes_nothing_holds_nobody(is_private: bool, authority: Authority) -> None:
    """A request that the other side does not read ends in a time-out of the write."""
    over = threading.Event()
    with connected(lambda _: over.wait(20) and None, authority if is_private else None) as stream:
        stream.write(LARGE, 0.2)
        with pytest.raises(httpcore2.WriteTimeout):
            stream.read(100, 5.0)
        over.set()


def test_the_deadline_cuts_every_wait() -> None:
    """Whatever the single step was allowed."""
    over = threading.Event()
    with connected(lambda _: over.wait(20) and None) as stream, Deadline(0.2):
        stream.write(b"request", 60.0)
        with pytest.raises(httpcore2.ReadTimeout):
            stream.read(100, 60.0)
        over.set()


def test_an_answer_to_a_request_that_was_refused_halfway_is_read() -> None:
    """A server that has answered and closed takes no more of the request; its answer counts."""
    answered = threading.Event()

    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 413 X\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)
        answered.set()

    with connected(refuse) as stream:
        assert answered.wait(5)
        stream.write(b"request", 5.0)
        assert stream.read(100, 5.0) == b"HTTP/1.1 413 X\r\n\r\n"
