"""What the other side sends behind an answer is nobody's, however its bytes come in."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore2
import httpx2
from hypothesis import given
from hypothesis import strategies as st

from worker.http.call import Timeouts, call
from worker.http.connections import Site
from worker.http.streams import Stream

_PIECES = [b"{", b"x", b"\r", b"\n", b"\r\n", b"0\r\n\r\n", b"\n\n", b"HTTP/1.1 200 OK\r\n\r\n"]
BODIES = st.lists(st.sampled_from(_PIECES), max_size=8).map(b"".join)
CUTS = st.lists(st.integers(1, 12), max_size=60)
FORGED = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged", b"HTTP/1.1 204 OK\r\n\r\n", b"H"]
)


class Scripted(httpcore2.NetworkBackend):
    """Each connection has answers, cut in pieces; a request brings the next one on its way."""

    def __init__(self, *connections: list[list[bytes]]) -> None:
        self.connections = list(connections)

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        return Stream(Wire(self.connections.pop(0)))


class Wire:
    tls: ssl.SSLObject | None = None

    def __init__(self, answers: list[list[bytes]]) -> None:
        self._answers = answers
        self._arriving: list[bytes] = []

    def send(self, data: bytes) -> None:
        self._arriving += self._answers.pop(0)

    def receive(self) -> bytes:
        return self._arriving.pop(0)

    def is_readable(self) -> bool:
        return bool(self._arriving)

    def close(self) -> None:
        pass


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    pieces = []
    for length in lengths:
        pieces.append(data[:length])
        data = data[length:]
    return [piece for piece in [*pieces, data] if piece]


def measured(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def chunked(body: bytes) -> bytes:
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + 3]), body[at : at + 3]) for at in range(0, len(body), 3)
    )
    return b"HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n" + chunks + b"0\r\n\r\n"


FORMS = st.sampled_from([measured, chunked])


def bodies(backend: Scripted) -> list[bytes]:
    """Of two calls, one after the other."""
    site = Site(httpx2.URL("http://checkbox.test"), httpcore2.ConnectionPool(network_backend=backend))
    return [call(site, "GET", "/", [], Timeouts(), 10_000).body for _ in range(2)]


@given(form=FORMS, body=BODIES, behind=FORGED, lengths=CUTS)
def test_what_comes_behind_an_answer_is_no_answer(
    form: Any, body: bytes, behind: bytes, lengths: list[int]
) -> None:
    """The connection that brought it is given up, wherever the network cuts and whatever the body says."""
    backend = Scripted([cut(form(body) + behind, lengths)], [[measured(b"sound")]])
    assert bodies(backend) == [body, b"sound"]


@given(form=FORMS, body=BODIES, lengths=CUTS)
def test_a_connection_with_nothing_behind_its_answer_is_kept(
    form: Any, body: bytes, lengths: list[int]
) -> None:
    """For answers of a known length, and for those in chunks."""
    assert bodies(Scripted([cut(form(body), lengths), [form(b"next")]])) == [body, b"next"]
