"""A chain of three at the sandbox: each of its calls is lost, fails, or is a process's last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import a_request, an_order, card
from tests.checkbox.desk import OLENA, Desk
from tests.checkbox.passes import Passes
from worker.checkbox.client import CheckboxClient
from worker.checkbox.transport import Transport
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import Fiscalized, Unavailable


class Crash(BaseException):
    """The process was killed."""


class Fault(Enum):
    """What becomes of a call."""

    LOST_ANSWER = "lost answer"
    LOST_REQUEST = "lost request"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


class Wire:
    """Counts the calls to Checkbox; one of them goes wrong."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.fault_at, self.fault = 0, -1, Fault.LOST_ANSWER
        call: Callable[..., Any] = Transport.call

        def faulty(transport: Transport, *arguments: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number != self.fault_at:
                return call(transport, *arguments)
            if self.fault is Fault.CRASH_BEFORE:
                raise Crash
            if self.fault is not Fault.LOST_REQUEST:
                call(transport, *arguments)
            if self.fault is Fault.CRASH_AFTER:
                raise Crash
            raise Unavailable({"reason": "reset"})

        monkeypatch.setattr(Transport, "call", faulty)

    def goes_wrong(self, at: int, fault: Fault) -> None:
        self.calls, self.fault_at, self.fault = 0, at, fault


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1) as process:
        yield process


def chain_of_three(order: UUID) -> list[Request]:
    """An advance, the rest, and the return of both."""
    payments = [
        a_request(
            id=f"{operation} {order}",
            order=an_order(uuid=order),
            operation=operation,
            payments=(card(amount),),
            payment_uuid=uuid4(),
        )
        for operation, amount in ((Operation.PREPAYMENT, 100_00), (Operation.AFTERPAYMENT, 170_00))
    ]
    back = a_request(
        id=f"return {order}",
        order=an_order(uuid=uuid4()),
        operation=Operation.PREPAYMENT_RETURN,
        return_of=ReturnOf(order, None),
        payments=(),
    )
    return [*payments, back]


def deliver(process: Passes, client: CheckboxClient, request: Request) -> tuple[Passes, Fiscalized]:
    """Until it is done; after a crash the message is delivered again, to another process."""
    try:
        return process, process.done(request)
    except Crash:
        another = Passes(client, process.integration)
        another.ahead = process.ahead
        again = AttemptState(first_seen=another.clock(), redelivered=True, look_up_first=True)
        return another, another.done(request, again)


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault.LOST_ANSWER, "whole"),
        (Fault.LOST_REQUEST, "ids"),
        (Fault.CRASH_BEFORE, "ids"),
        (Fault.CRASH_AFTER, "whole"),
    ],
)
def test_whichever_call_goes_wrong(
    running: SandboxProcess, monkeypatch: pytest.MonkeyPatch, fault: Fault, shown: str
) -> None:
    """Each payment is one receipt, given back once; and each request is answered with its own."""
    wire = Wire(monkeypatch)
    with CheckboxClient() as client:
        desk = Desk(running, client)
        running.set_options(relation_receipts=shown)
        desk.opened(hours_ago=1)
        integration = replace(desk.integration, prepayments=True, cashiers={"olena": OLENA})

        def run(at: int) -> int:
            """The chain, with the fault at this call; how many calls it took."""
            wire.goes_wrong(at, fault)
            order, process = uuid4(), Passes(client, integration)
            before = len(running.ledger(body=False))
            done = []
            for request in chain_of_three(order):
                process, one = deliver(process, client, request)
                done.append(one)
            made = running.ledger(body=False)[before:]
            assert [(one["type"], one["total"]) for one in made] == [
                *(("SELL", sum_) for sum_ in (100_00, 170_00)),
                *(("RETURN", sum_) for sum_ in (100_00, 170_00)),
            ], f"call {at}"
            assert [one.id for each in done for one in each.receipts] == [one["id"] for one in made]
            assert not any(one.already for one in done)
            return wire.calls

        calls = run(-1)
        assert calls > 12
        for at in range(calls):
            run(at)
