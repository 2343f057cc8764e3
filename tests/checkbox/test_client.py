"""The client over real connections: what it sends, and what comes of every way an answer can fail."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from tests.checkbox.receipts import (
    BY_PASSWORD,
    BY_PIN,
    CARD_SALE,
    CONTEXT,
    EMAIL,
    RECEIPT_ID,
    SALE_ID,
    TOKEN,
)
from tests.checkbox.scripted_server import (
    Script,
    ScriptedServer,
    answer,
    cut,
    drip,
    dumps,
    raw,
    reset,
    silence,
)
from tests.contracts.openapi import NO_BODY, OpenApi
from worker import __version__
from worker.checkbox.client import CheckboxClient
from worker.checkbox.transport import BODY_LIMIT, RECEIPTS_BODY_LIMIT
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.ports import ShiftNotOpened
from worker.http.call import Timeouts

KEY = SecretStr("test1234567890abcdef")
SHIFT_ID = UUID("066c8c8f-bd67-4661-8766-c7429e15ea27")
RECEIPT = {"id": str(RECEIPT_ID), "status": "CREATED", "total_sum": 15000, "fiscal_code": None}
SHIFT = {"id": str(SHIFT_ID), "status": "OPENED"}
HEAD = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"
SELL = "/api/v1/receipts/sell"

#: Short enough for a test, long enough for two busy cores.
SHORT = Timeouts(connect=0.5, read=0.3, write=0.5, whole=0.6)

Call = Callable[[CheckboxClient, str], Any]

#: Each call of the client, an answer that suits it, and whether it carries the licence key.
CALLS: dict[str, tuple[Call, Any, bool]] = {
    "sign_in": (lambda client, url: client.sign_in(url, BY_PASSWORD), {"access_token": "t"}, False),
    "sign_in_pin": (lambda client, url: client.sign_in(url, BY_PIN), {"access_token": "t"}, True),
    "sign_out": (lambda client, url: client.sign_out(url, TOKEN), b"", False),
    "current_shift": (lambda client, url: client.current_shift(url, TOKEN), SHIFT, False),
    "shift": (lambda client, url: client.shift(url, TOKEN, SHIFT_ID), SHIFT, False),
    "open_shift": (lambda client, url: client.open_shift(url, TOKEN, KEY, SHIFT_ID), SHIFT, True),
    "close_shift": (lambda client, url: client.close_shift(url, TOKEN), SHIFT, False),
    "sell": (lambda client, url: client.sell(url, TOKEN, RECEIPT_ID, CARD_SALE, CONTEXT), RECEIPT, False),
    "receipt": (lambda client, url: client.receipt(url, TOKEN, RECEIPT_ID), RECEIPT, False),
    "last_shift_closed_at": (
        lambda client, url: client.last_shift_closed_at(url, TOKEN),
        {"results": [{"id": str(SHIFT_ID), "closed_at": "2026-09-09T20:28:55+03:00"}]},
        False,
    ),
    "search_receipts": (
        lambda client, url: client.search_receipts(
            url, TOKEN, shift_id=str(SHIFT_ID), from_date="2026-09-09T10:28:55Z", limit=50, offset=100
        ),
        {"results": [RECEIPT]},
        False,
    ),
    "taxes": (lambda client, url: client.taxes(url, TOKEN), [], False),
    "register_info": (lambda client, url: client.register_info(url, KEY), {}, True),
    "cashier_me": (lambda client, url: client.cashier_me(url, TOKEN), {}, False),
    "check_signature": (lambda client, url: client.check_signature(url, TOKEN), {"online": True}, False),
}


def sell(client: CheckboxClient, url: str) -> Any:
    return client.sell(url, TOKEN, RECEIPT_ID, CARD_SALE, CONTEXT)


@pytest.fixture
def client() -> Iterator[CheckboxClient]:
    with CheckboxClient(timeouts=SHORT) as client:
        yield client


def calls_counted(endpoint: str, status: str) -> float:
    labels = {"endpoint": endpoint, "status": status}
    return REGISTRY.get_sample_value("fiscal_checkbox_requests_total", labels) or 0.0


@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_one_that_checkbox_describes(name: str, client: CheckboxClient) -> None:
    """Every call fits the OpenAPI document, says who calls, and shows the licence key only where due."""
    call, body, has_key = CALLS[name]
    with ScriptedServer(answer(200, body)) as server:
        call(client, server.url)
    (request,) = server.received
    path, _, query = request.target.partition("?")
    body = request.json if request.body else NO_BODY
    OpenApi.load().check_request(request.method, path, query=query, headers=request.headers, body=body)
    assert request.headers["x-client-name"] == "bimp-fiscal-worker"
    assert request.headers["x-client-version"] == __version__
    assert request.headers["user-agent"] == f"bimp-fiscal-worker/{__version__}"
    assert ("x-license-key" in request.headers) is has_key
    assert request.headers.get("content-type", "application/json") == "application/json"


def test_a_sign_in_prefers_the_password(client: CheckboxClient) -> None:
    """Login and password need no register; PIN and licence key are for cashiers without them."""
    both = replace(BY_PASSWORD, pin_code=SecretStr("4711"), license_key=KEY)
    with ScriptedServer(answer(200, {"access_token": TOKEN})) as server:
        assert client.sign_in(server.url, both) == TOKEN
        assert client.sign_in(server.url, BY_PIN) == TOKEN
    password, pin = server.received
    assert password.json == {"login": "olena", "password": "olena-secret"}
    assert (pin.json, pin.headers["x-license-key"]) == ({"pin_code": "4711"}, "test1234567890abcdef")


def test_credentials_that_cannot_be_sent_are_refused_without_being_quoted(client: CheckboxClient) -> None:
    """A key with a line end, or a PIN without a key, is a definite no that no library puts into words."""
    for key in (SecretStr("qwerty\nsecret-key"), None):
        with pytest.raises(Rejected) as caught:
            client.sign_in("http://127.0.0.1:1", replace(BY_PIN, license_key=key))
        assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
        told = "".join(traceback.format_exception(caught.value))
        assert "secret-key" not in told


def test_a_base_url_may_have_a_path_and_a_slash(client: CheckboxClient) -> None:
    """An integration may go through a gateway of its own."""
    with ScriptedServer(answer(200, None)) as server:
        client.current_shift(f"{server.url}/gateway/", TOKEN)
    assert server.received[0].target == "/gateway/api/v1/cashier/shift"


def test_a_search_asks_for_the_receipts_of_all_cashiers(client: CheckboxClient) -> None:
    """Checkbox shows a cashier his own alone where nothing is said."""
    with ScriptedServer(answer(200, {"results": []})) as server:
        assert client.search_receipts(server.url, TOKEN) == []
    assert server.received[0].target.partition("?")[2] == "self_receipts=false&limit=100&offset=0"


def test_headers_of_the_moment_go_along() -> None:
    """What traces the request at Bimp can be found again at Checkbox."""
    trace = iter(["00-a-1-01", "00-b-2-01"])
    with (
        CheckboxClient(headers=lambda: {"traceparent": next(trace)}) as client,
        ScriptedServer(answer(200, None)) as server,
    ):
        client.current_shift(server.url, TOKEN)
        client.current_shift(server.url, TOKEN)
    assert [request.headers["traceparent"] for request in server.received] == ["00-a-1-01", "00-b-2-01"]


DOUBTS: dict[str, tuple[Script, str, str]] = {
    "no answer": (silence, "timeout", "timeout"),
    "reset": (reset, "reset", "reset"),
    "closed before an answer": (cut(b""), "broken_answer", "broken_answer"),
    "head that drips": (drip(b"HTTP/1.1 201 Created\r\nx-drip: "), "timeout", "timeout"),
    "body that drips": (drip(HEAD + b"content-length: 1000000\r\n\r\n{"), "timeout", "timeout"),
    "chunks that drip": (
        drip(HEAD + b"transfer-encoding: chunked\r\n\r\nfffff\r\n{"),
        "timeout",
        "timeout",
    ),
    "not HTTP": (cut(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "broken_answer", "broken_answer"),
    "cut body": (cut(HEAD + b"content-length: 100\r\n\r\n{"), "broken_answer", "broken_answer"),
    "bad compression": (
        answer(201, b"not gzip", {"content-encoding": "gzip"}),
        "broken_answer",
        "broken_answer",
    ),
    "half of the JSON": (answer(201, dumps(RECEIPT)[:20]), "unreadable_answer", "201"),
    "null": (answer(201, None), "unreadable_answer", "201"),
    "empty": (answer(201, b""), "unreadable_answer", "201"),
    "a page": (answer(200, "<html>Ласкаво просимо</html>"), "unreadable_answer", "200"),
    "another receipt": (answer(201, {**RECEIPT, "id": str(SALE_ID)}), "unreadable_answer", "201"),
    "redirect": (answer(302, "", {"location": "/elsewhere"}), "redirect", "302"),
    "gateway's page": (answer(502, "<html>Bad gateway</html>"), "server_error", "502"),
    "Cloudflare's page": (answer(403, "error code: 1010"), "not_checkbox", "403"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_an_answer_that_is_none_leaves_the_outcome_unknown(name: str, client: CheckboxClient) -> None:
    """A receipt that may have been made is neither there nor refused; the call is made and counted once."""
    script, reason, status = DOUBTS[name]
    before = calls_counted(SELL, status)
    started = time.monotonic()
    with ScriptedServer(script) as server, pytest.raises(Unavailable) as caught:
        sell(client, server.url)
    assert caught.value.detail["reason"] == reason
    assert caught.value.detail["endpoint"] == SELL
    assert calls_counted(SELL, status) - before == 1
    assert len(server.received) == 1
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize("name", ["body that drips", "cut body", "reset"])
def test_a_call_after_a_broken_one_is_sound(name: str, client: CheckboxClient) -> None:
    """Nothing of a broken answer is left over for the next call."""
    with ScriptedServer(DOUBTS[name][0], answer(201, RECEIPT)) as server:
        with pytest.raises(Unavailable):
            sell(client, server.url)
        assert sell(client, server.url).id == str(RECEIPT_ID)


def test_nobody_listening_is_a_doubt_of_its_own_kind(client: CheckboxClient) -> None:
    """That no connection came about is told apart in the metrics."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    before = calls_counted(SELL, "connect_error")
    with pytest.raises(Unavailable) as caught:
        sell(client, f"http://127.0.0.1:{port}")
    assert caught.value.detail == {"endpoint": SELL, "reason": "connect_error"}
    assert calls_counted(SELL, "connect_error") - before == 1


def test_the_deadline_holds_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operators' proxies are used, and an answer that drips through one ends in time as well."""
    with ScriptedServer(answer(200, SHIFT), drip(HEAD)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with CheckboxClient(timeouts=SHORT) as client:
            assert client.current_shift("http://checkbox.invalid", TOKEN) is not None
            started = time.monotonic()
            with pytest.raises(Unavailable):
                client.current_shift("http://checkbox.invalid", TOKEN)
    assert time.monotonic() - started < 5.0
    assert proxy.received[0].target == "http://checkbox.invalid/api/v1/cashier/shift"


@pytest.mark.parametrize(
    ("asked", "wait"), [("7", 7.0), ("Thu, 28 May 2026 20:27:10 GMT", 30.0), ("x", None)]
)
def test_the_wait_that_checkbox_asks_for_is_passed_on(asked: str, wait: float | None) -> None:
    """429 says nothing of the receipt, and when to come back."""
    throttled = answer(429, {"message": "Too Many Requests"}, {"Retry-After": asked})
    with (
        CheckboxClient(clock=lambda: 1_780_000_000.0) as client,
        ScriptedServer(throttled) as server,
        pytest.raises(Unavailable) as caught,
    ):
        sell(client, server.url)
    assert caught.value.retry_after == wait


def test_an_answer_that_is_compressed_all_the_same_is_read(client: CheckboxClient) -> None:
    """The client asks for none, and a proxy in between may not care."""
    packed = answer(201, gzip.compress(dumps(RECEIPT)), {"content-encoding": "gzip"})
    with ScriptedServer(packed) as server:
        assert sell(client, server.url).id == str(RECEIPT_ID)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_a_bomb_is_not_unpacked(client: CheckboxClient) -> None:
    """The limit is on what a body becomes, not on what it travels as."""
    bomb = answer(201, gzip.compress(b" " * (RECEIPTS_BODY_LIMIT * 2)), {"content-encoding": "gzip"})
    with ScriptedServer(bomb) as server, pytest.raises(Unavailable) as caught:
        sell(client, server.url)
    assert caught.value.detail["reason"] == "oversized"


def test_an_answer_that_is_too_long_is_not_read(client: CheckboxClient) -> None:
    """What is no receipt is short; the next call is sound."""
    call, sound, _ = CALLS["current_shift"]
    too_long = answer(200, b'{"id": "' + b"x" * BODY_LIMIT + b'"}')
    with ScriptedServer(too_long, answer(200, sound)) as server:
        with pytest.raises(Unavailable) as caught:
            call(client, server.url)
        assert caught.value.detail["reason"] == "oversized"
        assert call(client, server.url)


def test_a_page_of_long_receipts_is_read(client: CheckboxClient) -> None:
    """A hundred receipts are longer than any one may be."""
    receipt = {**RECEIPT, "header": "x" * (RECEIPTS_BODY_LIMIT // 200)}
    with ScriptedServer(answer(200, {"results": [receipt] * 100})) as server:
        assert len(client.search_receipts(server.url, TOKEN)) == 100


def test_what_comes_behind_an_answer_is_nobody_s(client: CheckboxClient) -> None:
    """A second answer to one request would be taken for that to the next, which is another cashier's."""

    def whole(document: object) -> bytes:
        body = dumps(document)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    two = raw(whole(SHIFT) + whole({**SHIFT, "id": str(SALE_ID)}))
    with ScriptedServer(two, answer(200, SHIFT)) as server:
        shifts = [client.current_shift(server.url, TOKEN) for _ in range(2)]
    assert [shift.id for shift in shifts if shift] == [SHIFT["id"]] * 2
    assert server.connections == 2


def test_cashiers_share_connections_and_no_cookies(client: CheckboxClient) -> None:
    """One connection serves the calls of one thread, and what one answer sets no request brings back."""
    with ScriptedServer(answer(200, SHIFT, {"set-cookie": "session=olena; Path=/"})) as server:
        for _ in range(3):
            client.current_shift(server.url, TOKEN)
    assert server.connections == 1
    assert not any("cookie" in request.headers for request in server.received)


def test_threads_that_call_in_turn_share_a_connection(client: CheckboxClient) -> None:
    """What was used last is used next: with few orders there is no new handshake for each."""
    with ScriptedServer(answer(200, SHIFT)) as server:
        for _ in range(3):
            with ThreadPoolExecutor(1) as other:
                assert other.submit(client.current_shift, server.url, TOKEN).result() is not None
    assert server.connections == 1


def test_threads_do_not_wait_for_each_other() -> None:
    """A slow answer to one cashier holds up no other."""

    def slow(connection: socket.socket, done: threading.Event) -> None:
        done.wait(0.3)
        answer(200, SHIFT)(connection, done)

    with (
        CheckboxClient() as client,
        ScriptedServer(slow) as server,
        ThreadPoolExecutor(8) as threads,
    ):
        started = time.monotonic()
        shifts = list(threads.map(lambda _: client.current_shift(server.url, TOKEN), range(8)))
    assert all(shifts)
    assert time.monotonic() - started < 1.5


def test_the_deadline_of_a_call_is_that_call_s_alone() -> None:
    """A connection that was used under one deadline serves the next call with the next."""

    def slow(connection: socket.socket, done: threading.Event) -> None:
        done.wait(0.25)
        answer(200, SHIFT)(connection, done)

    with (
        CheckboxClient(timeouts=replace(SHORT, read=1.0)) as client,
        ScriptedServer(slow) as server,
    ):
        for _ in range(3):
            assert client.current_shift(server.url, TOKEN) is not None
    assert server.connections == 1


LEAKS = (
    TOKEN,
    "eyJ",
    EMAIL,
    "0671234567",
    "A1B2C3",
    "030400000001",
    "4149 ****",
    "olena-secret",
    KEY.get_secret_value(),
)


@pytest.mark.parametrize(
    "script",
    [silence, reset, answer(401, {"code": "x", "message": "?"}), answer(201, None), answer(500, "x")],
)
def test_no_exception_and_no_log_carries_a_secret(
    script: Script, client: CheckboxClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what is raised, with all that it came from, nor the HTTP library's log repeats credentials."""
    caplog.set_level(logging.DEBUG)
    for name in ("sell", "open_shift", "sign_in", "sign_in_pin"):
        with ScriptedServer(script) as server, pytest.raises(Exception) as caught:
            CALLS[name][0](client, server.url)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
        assert not [leak for leak in LEAKS if leak in told]


def test_what_checkbox_repeats_is_scrubbed_with_what_the_call_knows(client: CheckboxClient) -> None:
    """Buyer, card, token, key and what the caller adds are hidden in Checkbox's words."""
    words = f"{EMAIL} A1B2C3 {TOKEN} {KEY.get_secret_value()} olena-secret: зміну"
    refusal = answer(400, {"code": "new.code", "message": words})
    with ScriptedServer(refusal) as server:
        with pytest.raises(Rejected) as sold:
            client.sell(
                server.url,
                TOKEN,
                RECEIPT_ID,
                CARD_SALE,
                CONTEXT,
                private=("olena-secret", KEY.get_secret_value()),
            )
        with pytest.raises(Rejected) as opened:
            client.open_shift(server.url, TOKEN, KEY, SHIFT_ID, private=("olena-secret", "A1B2C3"))
    for caught in (sold, opened):
        assert caught.value.detail["message"] == "*** *** *** *** ***: зміну"


def test_calls_are_timed_by_template(client: CheckboxClient) -> None:
    """The label is the template: a receipt's id never becomes a metric."""
    template = "/api/v1/receipts/{receipt_id}"
    name = "fiscal_checkbox_request_duration_seconds_count"
    before = REGISTRY.get_sample_value(name, {"endpoint": template}) or 0.0
    with ScriptedServer(answer(200, RECEIPT)) as server:
        client.receipt(server.url, TOKEN, RECEIPT_ID)
    assert REGISTRY.get_sample_value(name, {"endpoint": template}) == before + 1
    assert calls_counted(template, "200") > 0


def test_a_shift_that_was_closed_already_is_told(client: CheckboxClient) -> None:
    """Closing after somebody else did is no fault."""
    with (
        ScriptedServer(answer(400, {"code": "shift.not_opened", "message": "Зміну не відкрито"})) as server,
        pytest.raises(ShiftNotOpened),
    ):
        client.close_shift(server.url, TOKEN)
    assert json.loads(server.received[0].body) == {"skip_client_name_check": True}
