"""Decides about a delivery: runs the use case, and makes every message that follows from it.

Nothing is published here, so that whatever breaks is still an order of its own with INTERNAL_ERROR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.order import Request
from worker.fiscal.outcomes import (
    NOT_DEAD_LETTERED,
    Code,
    Fiscalized,
    Postponed,
    Rejected,
    Unavailable,
    Verdict,
)
from worker.fiscal.reasons import Wait
from worker.interprocess.stop_limit import StopLimit
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.delivery import Delivery
from worker.rabbit.events import Events
from worker.rabbit.message.reading import InvalidMessage, RequestIdentity, read
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.retry_policy import RetryPolicy
from worker.rabbit.topology import Topology
from worker.telemetry import pass_log
from worker.telemetry.logs import logger
from worker.telemetry.quiet import Quietly

_log = logger(__name__)

#: Waits for our own limits, which are not faults and always end.
_OWN_LIMITS = frozenset({Wait.RATE_LIMIT, Wait.CASHIER_IN_USE, Wait.THREADS_IN_USE})
#: Longest wait for a number that is spent in this process, in seconds.
_LONGEST_KEPT = 20.0


@dataclass(frozen=True, slots=True)
class SettlementDependencies:
    """What every delivery is settled with."""

    fiscalize: Callable[[Request, AttemptState], Fiscalized]
    publisher: Publisher
    topology: Topology
    policy: RetryPolicy
    stop_limit: StopLimit
    configured: Callable[[str], IntegrationRow | None]
    has_room: Callable[[], bool]
    clock: Callable[[], float]
    random: Random


@dataclass(frozen=True, slots=True)
class Ended:
    """The final outcome of the request: its messages, and how it is counted."""

    letter: Publication | None
    event: Publication | None
    state: AttemptState
    count: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """Worked on again after ``wait`` seconds; ``delayed`` is published before."""

    state: AttemptState
    wait: float
    count: Callable[[], None]
    delayed: Publication | None = None


@dataclass(frozen=True, slots=True)
class KeptInFlight:
    """Worked on again by this process, which does not let go of it."""

    delivery: Delivery
    count: Callable[[], None]


Decision = Ended | Rescheduled | KeptInFlight


class Deciding:
    """One pass over one delivery, up to the decision."""

    def __init__(
        self,
        delivery: Delivery,
        state: AttemptState,
        dependencies: SettlementDependencies,
        line: pass_log.PassLog,
    ) -> None:
        self._delivery = delivery
        self._state = state
        self._with = dependencies
        self._line = line
        self._events = Events(dependencies.clock)
        self._known = RequestIdentity()
        self._request: Request | None = None

    def decide(self) -> Decision:
        """Raises nothing: a fault of the worker is a decision too."""
        receipt_made = True if self._state.posted_at is not None else None
        try:
            outcome = self._outcome()
            if isinstance(outcome, Fiscalized):
                receipt_made = True
                return self._succeeded(outcome)
            return self._decided(outcome)
        except Exception as error:  # whatever it is, it is this message's alone
            with Quietly():
                _log.error("request_broke_the_worker", exc_info=error)
            detail = {"error": type(error).__name__}
            return self._rejected(Rejected(Code.INTERNAL_ERROR, detail, receipt_made=receipt_made))

    def _outcome(self) -> Fiscalized | Verdict:
        try:
            request = self._request = self._delivery.request or read(self._delivery.body)
            self._know(RequestIdentity.of(request), request)
            return self._with.fiscalize(request, self._state)
        except InvalidMessage as invalid:
            self._know(invalid.known, None)
            return _without_frames(invalid)
        except Verdict as verdict:
            return _without_frames(verdict)

    def _know(self, known: RequestIdentity, request: Request | None) -> None:
        self._known = known
        with Quietly():
            self._recognize(request.time if request is not None else None)

    def _decided(self, verdict: Verdict) -> Decision:
        self._state = verdict.state or self._state
        if isinstance(verdict, Rejected):
            return self._rejected(verdict)
        if isinstance(verdict, Postponed):
            return self._keep_in_flight(verdict) or self._postponed(verdict)
        if isinstance(verdict, Unavailable):
            return self._unavailable(verdict)
        raise verdict

    def _succeeded(self, done: Fiscalized) -> Ended:
        assert self._request is not None
        event = self._events.succeeded(self._known, self._state, done, self._request.order.total)

        def count() -> None:
            self._line.succeeded(done)
            self._with.stop_limit.note(None, None)

        return Ended(None, event, self._state, count)

    def _rejected(self, verdict: Rejected) -> Ended:
        known, state, shared = self._known, self._state, self._with
        dead_lettered = verdict.code not in NOT_DEAD_LETTERED
        letter = event = None
        if dead_lettered:
            queue, now = shared.topology.queue, shared.clock()
            letter = DeadLetter.of(self._delivery, known, state, verdict, queue, now).publication
        if known.request_id is not None:
            event = self._events.failed(known, state, verdict, dead_lettered)
        return Ended(letter, event, state, partial(self._count_failed, verdict, dead_lettered))

    def _count_failed(self, verdict: Rejected, dead_lettered: bool) -> None:
        self._line.failed(verdict, dead_lettered)
        stop_limit = self._with.stop_limit
        if stop_limit.note(verdict.code, f"{self._known.integration}/{self._known.cashier}"):
            _log.error("worker_stopped_itself", code=verdict.code.value, until=stop_limit.released_at)

    def _keep_in_flight(self, verdict: Postponed) -> KeptInFlight | None:
        """The first wait for a number, which nearly every receipt has, and nearly always once.

        A crash loses its attempt state: then the message comes back as redelivered, and a look-up goes first.
        """
        state = verdict.state
        if state is None or self._request is None or verdict.reason != Wait.NUMBER or state.looks > 1:
            return None
        if verdict.after > _LONGEST_KEPT or not self._with.has_room():
            return None
        due = self._with.clock() + verdict.after
        kept = self._delivery.kept_in_flight(state, self._request, due, verdict.after)
        return KeptInFlight(kept, partial(self._line.postponed, verdict.reason, verdict.after))

    def _postponed(self, verdict: Postponed) -> Ended | Rescheduled:
        policy, now = self._with.policy, self._with.clock()
        if verdict.reason not in _OWN_LIMITS and now - self._state.first_seen > policy.max_age:
            # The letter names the receipt that was awaited.
            receipt = {"receiptId": self._state.posted_id} if self._state.posted_id else {}
            return self._given_up(verdict, {"reason": verdict.reason, **receipt})
        wait = min(verdict.after, policy.max_backoff)
        return Rescheduled(self._state, wait, partial(self._line.postponed, verdict.reason, wait))

    def _unavailable(self, verdict: Unavailable) -> Ended | Rescheduled:
        state, policy, now = self._state, self._with.policy, self._with.clock()
        end = state.first_seen + policy.max_age
        if now >= end:
            return self._given_up(verdict, verdict.detail)
        due = min(now + policy.delay(state.faults, verdict.retry_after, self._with.random), end)
        is_first = not state.delayed
        return Rescheduled(
            state.after_fault(now if verdict.may_have_sold else None),
            due - now,
            partial(self._line.delayed, verdict, due - now, is_first),
            self._events.delayed(self._known, state, verdict, due) if is_first else None,
        )

    def _given_up(self, verdict: Verdict, detail: Mapping[str, Any]) -> Ended:
        made = verdict.receipt_made
        return self._rejected(Rejected(Code.CHECKBOX_UNAVAILABLE, dict(detail), receipt_made=made))

    def _recognize(self, asked_at: datetime | None) -> None:
        """The integration as a metric's label: only configured ones, so that labels do not grow.

        To another company than its own an integration is not there.
        """
        known = self._known
        integration = self._with.configured(known.integration) if known.integration else None
        is_foreign = integration is not None and integration.is_foreign(known.source)
        name = integration.id if integration and not is_foreign else "unknown"
        self._line.know(known, name, asked_at)
        if integration and is_foreign:
            self._line.foreign(integration.id)


def _without_frames(verdict: Verdict) -> Verdict:
    """A value from here on: its frames would keep it, and the body, in a cycle until a collection."""
    verdict.__traceback__ = verdict.__context__ = None
    return verdict
