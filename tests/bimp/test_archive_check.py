"""Bimp's own word whether an order is archived, from a server that answers as told."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from tests.checkbox.scripted_server import Script, ScriptedServer, answer, cut, drip, reset, silence
from worker.bimp import archive_check
from worker.bimp.archive_check import ArchiveCheck
from worker.fiscal.outcomes import Unavailable
from worker.http.call import Timeouts

ORDER = UUID("5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c01")
TOKEN = "token-of-bimp-4711"


def ask(script: Script) -> bool:
    with ScriptedServer(script) as server:
        return checking(server).is_archived(ORDER)


def checking(server: ScriptedServer, token: str | None = TOKEN) -> ArchiveCheck:
    return ArchiveCheck(f"{server.url}/orders/{{orderUuid}}/state?fresh=1", token, dict)


@pytest.mark.parametrize(
    ("body", "archived"), [({"archived": True}, True), ({"archived": False, "x": 1}, False)]
)
def test_bimp_says_whether_the_order_is_archived(body: object, archived: bool) -> None:
    """A boolean; other members are ignored."""
    assert ask(answer(200, body)) is archived


@pytest.mark.parametrize("body", [b"", b"not found", {"archived": False}])
def test_an_order_that_bimp_does_not_have_is_not_sold(body: object) -> None:
    """404 is as good as archived, whatever is in it."""
    assert ask(answer(404, body)) is True


@pytest.mark.parametrize(
    "script",
    [
        *(
            answer(200, body)
            for body in (b"", b"null", b"[true]", b"\xff\xfe", "<html>", {"archived": "true"})
        ),
        *(answer(200, body) for body in ({"archived": None}, {"archived": 1}, {}, b"[" * 50_000)),
        *(answer(status, {"archived": True}) for status in (201, 204, 302, 400, 401, 403, 429, 500, 503)),
        answer(200, b" " * 100_000),
        reset,
        cut(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
        cut(b"nonsense\r\n\r\n"),
    ],
)
def test_everything_else_is_a_fault_that_passes(script: Script) -> None:
    """It says nothing of the order: not sold, asked again later, and named in the detail."""
    with pytest.raises(Unavailable) as caught:
        ask(script)
    assert caught.value.detail["service"] == "archive_check"


def test_a_redirect_is_not_followed() -> None:
    """The token goes where it was meant to go and nowhere else."""
    with ScriptedServer(answer(200, {"archived": False})) as other:
        with pytest.raises(Unavailable):
            ask(answer(302, b"", {"location": f"{other.url}/elsewhere"}))
        assert other.received == []


def test_nobody_listens() -> None:
    """A connection that is refused is a fault that passes."""
    with ScriptedServer(reset) as server:
        check = checking(server)
    with pytest.raises(Unavailable):
        check.is_archived(ORDER)


@pytest.mark.parametrize(
    "script",
    [
        silence,
        drip(b"HTTP/1.1 200 OK\r\nx-drip: "),
        drip(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffff\r\n{"),
    ],
)
def test_an_answer_that_does_not_end_holds_no_thread(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that never comes nor one that comes byte by byte."""
    monkeypatch.setattr(archive_check, "_TIMEOUTS", Timeouts(whole=0.3))
    began = time.monotonic()
    with pytest.raises(Unavailable):
        ask(script)
    assert time.monotonic() - began < 5


def test_what_is_sent() -> None:
    """The order's uuid in its place, the token as a bearer's, an agent of our own, and the trace."""
    with ScriptedServer(answer(200, {"archived": False})) as server:
        template = f"{server.url}/orders/{{orderUuid}}?fresh=1"
        ArchiveCheck(template, TOKEN, lambda: {"traceparent": "00-1"}).is_archived(ORDER)
        checking(server, token=None).is_archived(ORDER)
    first, second = server.received
    assert (first.method, first.target) == ("GET", f"/orders/{ORDER}?fresh=1")
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert first.headers["user-agent"].startswith("bimp-fiscal-worker/")
    assert first.headers["traceparent"] == "00-1"
    assert "authorization" not in second.headers


@pytest.mark.parametrize("script", [answer(500, TOKEN), answer(200, TOKEN), reset])
def test_the_token_is_in_no_verdict(script: Script) -> None:
    """Not even where Bimp's own answer repeats it."""
    with pytest.raises(Unavailable) as caught:
        ask(script)
    assert TOKEN not in repr(caught.value) + repr(caught.value.__context__)


def test_it_is_no_request_to_checkbox() -> None:
    """Those are counted for Checkbox's sake."""

    def counted() -> float:
        samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
        return sum(s.value for s in samples if s.name.startswith("fiscal_checkbox_request"))

    before = counted()
    ask(answer(200, {"archived": False}))
    assert counted() == before
