"""One line and the counters for each pass over a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import CapturingLogger

from tests.rabbit.test_settlement import DONE
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code, Fiscalized, Rejected, Unavailable
from worker.fiscal.reasons import Wait
from worker.rabbit.message.reading import RequestIdentity, read
from worker.telemetry import logs, pass_log, trace

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "valid" / "one_line_card.json"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REQUEST = read(EXAMPLE.read_bytes())
KNOWN = RequestIdentity.of(REQUEST)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is logged, with its context."""
    capturing = CapturingLogger()
    bound = structlog.wrap_logger(capturing, processors=[logs.with_context, _as_one])
    monkeypatch.setattr(pass_log, "_log", bound)

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter([call.kwargs for call in capturing.calls])

    return Lines()


def _as_one(_: Any, __: str, line: dict[str, Any]) -> tuple[tuple[()], dict[str, Any]]:
    return (), line


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def raise_within(carried: dict[str, str]) -> None:
    """A pass that could not be settled."""
    with pass_log.logged("q", carried, AttemptState(1.0)) as line:
        line.know(KNOWN, "shop-main")
        raise OSError


def test_a_line_has_all_that_is_known(lines: list[dict[str, Any]]) -> None:
    """Who, what, where, the outcome and how long it took."""
    with pass_log.logged(
        "fiscalize", {"traceparent": PARENT}, AttemptState(1.0, replays=2, faults=3)
    ) as line:
        line.know(KNOWN, "shop-main", REQUEST.time)
        assert trace.headers() == {"traceparent": PARENT}
        line.succeeded(DONE)
    [told] = lines
    assert told["event"] == "request_processed"
    assert told["outcome"] == "succeeded"
    assert told["request_id"] == REQUEST.id
    assert told["order_id"] == str(REQUEST.order.uuid)
    assert told["doc_number"] == REQUEST.order.doc_number
    assert (told["integration"], told["cashier"], told["operation"]) == ("shop-main", "olena", "SELL")
    assert (told["attempt"], told["replays"]) == (4, 2)
    assert told["messaging.destination.name"] == "fiscalize"
    assert told["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert told["duration_seconds"] >= 0
    assert "buyer@example.com" not in json.dumps(told, default=str)


def test_a_pass_that_raised_is_unsettled_and_counts_nothing(lines: list[dict[str, Any]]) -> None:
    """Its message comes again; nothing of it is left for the thread's next message."""
    before = counted("fiscal_requests_total", outcome="succeeded", code="", integration="shop-main")
    with pytest.raises(OSError):
        raise_within({"traceparent": PARENT})
    with pass_log.logged("q", {}, AttemptState(1.0)):
        pass
    first, second = lines
    assert first["outcome"] == "unsettled"
    assert "order_id" not in second
    assert second["trace_id"] is None
    assert trace.headers() == {}
    assert counted("fiscal_requests_total", outcome="succeeded", code="", integration="shop-main") == before


def test_money_is_counted_once_for_a_receipt(lines: list[dict[str, Any]]) -> None:
    """An order that was fiscalized before is counted as that, and brings no money."""
    name, labels = "fiscal_receipts_amount_kopecks_total", {"integration": "shop-main", "operation": "SELL"}
    before = counted(name, **labels)
    for already in (False, True):
        with pass_log.logged("q", {}, AttemptState(1.0)) as line:
            line.know(KNOWN, "shop-main")
            line.succeeded(Fiscalized(DONE.receipt, already, DONE.checkbox_url))
    assert counted(name, **labels) - before == DONE.receipt.total
    assert [told["outcome"] for told in lines] == ["succeeded", "already_fiscalized"]


def test_money_that_comes_back_is_counted_whatever_sign_it_bears(lines: list[dict[str, Any]]) -> None:
    """A counter never goes down."""
    name, labels = "fiscal_receipts_amount_kopecks_total", {"integration": "shop-main", "operation": "RETURN"}
    before = counted(name, **labels)
    for sign in (1, -1):
        with pass_log.logged("q", {}, AttemptState(1.0)) as line:
            line.know(replace(KNOWN, operation=Operation.RETURN), "shop-main")
            line.succeeded(replace(DONE, receipt=replace(DONE.receipt, total=sign * DONE.receipt.total)))
    assert counted(name, **labels) - before == 2 * DONE.receipt.total
    assert [told["outcome"] for told in lines] == ["succeeded"] * 2


@pytest.mark.parametrize("dead_lettered", [True, False])
def test_a_no_is_counted_with_its_code(lines: list[dict[str, Any]], dead_lettered: bool) -> None:
    """A dead letter is counted where there is one."""
    labels = {"outcome": "failed", "code": "SHIFT_NOT_OPEN", "integration": "unknown"}
    requests = counted("fiscal_requests_total", **labels)
    letters = counted("fiscal_dead_letters_total", code="SHIFT_NOT_OPEN")
    with pass_log.logged("q", {}, AttemptState(1.0)) as line:
        line.failed(Rejected(Code.SHIFT_NOT_OPEN), dead_lettered)
    assert counted("fiscal_requests_total", **labels) - requests == 1
    assert counted("fiscal_dead_letters_total", code="SHIFT_NOT_OPEN") - letters == dead_lettered
    [told] = lines
    assert (told["outcome"], told["code"]) == ("failed", "SHIFT_NOT_OPEN")


def test_a_delay_is_counted_at_its_first(lines: list[dict[str, Any]]) -> None:
    """As many as there are delayed events; each pass has its line."""
    labels = {"outcome": "delayed", "code": "CHECKBOX_UNAVAILABLE", "integration": "unknown"}
    before = counted("fiscal_requests_total", **labels)
    for first in (True, False):
        with pass_log.logged("q", {}, AttemptState(1.0)) as line:
            line.delayed(Unavailable({"status": 503, "reason": "status"}), 5.0, first)
    assert counted("fiscal_requests_total", **labels) - before == 1
    assert [told["http.response.status_code"] for told in lines] == [503, 503]


def test_a_wait_is_no_outcome(lines: list[dict[str, Any]]) -> None:
    """Only the line tells of it."""
    with pass_log.logged("q", {}, AttemptState(1.0)) as line:
        line.postponed("shift_opening", 1.23456)
    [told] = lines
    assert (told["outcome"], told["reason"], told["delay_seconds"]) == ("postponed", "shift_opening", 1.235)


NO_NEWS = [
    (lambda line, reason=reason: line.postponed(reason, 1.0), "debug")
    for reason in (Wait.NUMBER, Wait.RATE_LIMIT, Wait.CASHIER_IN_USE, Wait.THREADS_IN_USE)
]


@pytest.mark.parametrize(
    ("ending", "level"),
    [
        (lambda line: line.failed(Rejected(Code.INTERNAL_ERROR), True), "error"),
        (lambda line: line.failed(Rejected(Code.SHIFT_NOT_OPEN), True), "warning"),
        (lambda line: line.delayed(Unavailable({"status": 503}), 5.0, True), "info"),
        (lambda line: line.succeeded(DONE), "info"),
        (lambda line: line.postponed("shift_opening", 1.0), "info"),
        *NO_NEWS,
    ],
)
def test_the_level_says_for_whom_a_line_is(
    monkeypatch: pytest.MonkeyPatch, ending: Callable[[pass_log.PassLog], None], level: str
) -> None:
    """A failed order is a warning, an error of ours an error; a wait that nearly every order has is none."""
    capturing = CapturingLogger()
    monkeypatch.setattr(pass_log, "_log", structlog.wrap_logger(capturing, processors=[_as_one]))
    with pass_log.logged("q", {}, AttemptState(1.0)) as line:
        ending(line)
    assert [call.method_name for call in capturing.calls] == [level]
