"""What becomes of a delivery: the one place where verdicts turn into messages.

    Fiscalized    succeeded event                                    then acknowledged
    Rejected      dead letter (most codes), failed event             then acknowledged
    Postponed     into ``follow_up`` or ``retry``, by its wait       then acknowledged
                  or, to wait for its number for the first time, kept in hand
    Unavailable   delayed event (once), then as Postponed            then acknowledged
                  or, past the longest age, as Rejected with CHECKBOX_UNAVAILABLE
    anything else Rejected with INTERNAL_ERROR

The last effect is returned, on its way: the delivery is acknowledged when the broker has confirmed it, and
no thread waits for that. Of two effects the first is confirmed before the second is begun. When this raises,
or the effect fails, nothing may be acknowledged: the delivery goes back, and repeats the later effects under
the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from random import Random

from worker.fiscal.order import Request
from worker.fiscal.outcomes import (
    NOT_DEAD_LETTERED,
    Code,
    Fiscalized,
    Postponed,
    Rejected,
    Unavailable,
)
from worker.fiscal.planner import Plan
from worker.fiscal.trail import Trail
from worker.rabbit.brake import Brake
from worker.rabbit.confirming import PublishFailed
from worker.rabbit.dead_letters import DeadLetter, put_away
from worker.rabbit.delivery import Delivery
from worker.rabbit.events import Events
from worker.rabbit.message import InvalidMessage, Known, read
from worker.rabbit.publisher import Publisher
from worker.rabbit.topology import Topology
from worker.telemetry import attempt_log, metrics
from worker.telemetry.logs import logger

_log = logger(__name__)

#: Waits that are nobody's fault: the row is long, and moves.
_OWN_ROWS = frozenset({"register_turn", "cashier_in_use", "threads_in_use"})
#: What waits is held unacknowledged, and the broker's patience ends at 30 minutes.
_LONGEST_HOLD = 600.0
#: Longest wait for a number that is spent in this process.
_LONGEST_IN_HAND = 20.0


_NOTHING: Future[None] = Future()
_NOTHING.set_result(None)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again. Seconds."""

    min_backoff: float
    max_backoff: float
    max_age: float

    def delay(self, faults: int, asked: float | None, random: Random) -> float:
        """Exponential with jitter; not before the other side's Retry-After, up to ten minutes of it."""
        backoff: float = min(self.max_backoff, self.min_backoff * 2.0 ** min(faults, 30))
        jittered = backoff * random.uniform(0.75, 1.25)
        return max(min(self.max_backoff, jittered), min(asked or 0.0, _LONGEST_HOLD))


class Settlement:
    """Runs the story on a delivery and settles what comes of it."""

    def __init__(
        self,
        fiscalize: Callable[[Request, Trail, Plan | None], Fiscalized],
        publisher: Publisher,
        topology: Topology,
        policy: RetryPolicy,
        brake: Brake,
        is_configured: Callable[[str], bool],
        has_room: Callable[[], bool],
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self._fiscalize = fiscalize
        self._publisher = publisher
        self._topology = topology
        self._policy = policy
        self._brake = brake
        self._is_configured = is_configured
        self._has_room = has_room
        self._clock = clock
        self._random = random
        self._events = Events(publisher, clock)

    def process(self, delivery: Delivery) -> Future[None] | Delivery:
        """The actor. Raises ``PublishFailed``, or returns what may end in it: nothing is settled then."""
        effect = self._settle(delivery)
        if isinstance(effect, Future):
            effect.add_done_callback(_note_failure)
        return effect

    def _settle(self, delivery: Delivery) -> Future[None] | Delivery:
        trail = delivery.trail(self._clock())
        with attempt_log.attempt(delivery.queue, delivery.trace, trail, delivery.is_first) as line:
            if delivery.replayed_code is not None:
                line.replayed(delivery.replayed_code)
            known = Known()
            try:
                request = delivery.request or read(delivery.body)
                known = Known.of(request)
                line.know(known, self._label(known), request.time)
                return self._pass(delivery, request, known, trail, line)
            except InvalidMessage as invalid:
                line.know(invalid.known, self._label(invalid.known))
                return self._reject(delivery, invalid.known, trail, invalid, line)
            except PublishFailed:
                raise
            except Exception as error:  # whatever it is, it is this message's alone
                _log.error("request_broke_the_worker", exc_info=error)
                broken = Rejected(Code.INTERNAL_ERROR, {"error": type(error).__name__})
                return self._reject(delivery, known, trail, broken, line)

    def _pass(
        self, delivery: Delivery, request: Request, known: Known, trail: Trail, line: attempt_log.Line
    ) -> Future[None] | Delivery:
        try:
            done = self._fiscalize(request, trail, delivery.planned)
        except Rejected as verdict:
            return self._reject(delivery, known, trail, verdict, line)
        except Postponed as verdict:
            kept = self._kept_in_hand(delivery, request, verdict, line)
            return kept or self._postpone(delivery, known, trail, verdict, line)
        except Unavailable as verdict:
            return self._retry(delivery, known, trail, verdict, line)
        told = self._events.succeeded(known, trail, done, request.order.total)
        self._brake.note(None, None)
        line.succeeded(done)
        return told

    def _reject(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Rejected, line: attempt_log.Line
    ) -> Future[None]:
        """The dead letter first: the event says that there is one."""
        dead_lettered = verdict.code not in NOT_DEAD_LETTERED
        effect = _NOTHING
        if dead_lettered:
            letter = DeadLetter.of(delivery, known, trail, verdict, self._topology.queue, self._clock())
            effect = put_away(self._publisher, letter)
        if known.request_id is not None:
            effect.result()
            effect = self._events.failed(known, trail, verdict, dead_lettered)
        if self._brake.note(verdict.code, f"{known.integration}/{known.cashier}"):
            _log.error("worker_stopped_itself", code=verdict.code.value, until=self._brake.released_at)
        line.failed(verdict, dead_lettered)
        return effect

    def _kept_in_hand(
        self, delivery: Delivery, request: Request, verdict: Postponed, line: attempt_log.Line
    ) -> Delivery | None:
        """The first wait for a number, which nearly every receipt has, and nearly always once.

        A crash loses its trail: then the message comes back as redelivered, and a look-up goes first.
        """
        trail = verdict.trail
        if trail is None or verdict.reason != "number" or trail.looks > 1:
            return None
        if verdict.after > _LONGEST_IN_HAND or not self._has_room():
            return None
        line.postponed(verdict.reason, verdict.after)
        return delivery.kept_in_hand(trail, request, verdict.planned, self._clock() + verdict.after)

    def _postpone(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Postponed, line: attempt_log.Line
    ) -> Future[None]:
        trail = verdict.trail or trail
        now = self._clock()
        if verdict.reason not in _OWN_ROWS and now - trail.first_seen > self._policy.max_age:
            return self._give_up(delivery, known, trail, Unavailable({"reason": verdict.reason}), line)
        wait = min(verdict.after, self._policy.max_backoff)
        line.postponed(verdict.reason, wait)
        return self._put_off(delivery, trail, now, now + wait)

    def _retry(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Unavailable, line: attempt_log.Line
    ) -> Future[None]:
        now = self._clock()
        end = trail.first_seen + self._policy.max_age
        if now >= end:
            return self._give_up(delivery, known, trail, verdict, line)
        due = min(now + self._policy.delay(trail.faults, verdict.retry_after, self._random), end)
        if not trail.delayed:
            self._events.delayed(known, trail, verdict, due).result()
        after = trail.after_fault(now if verdict.may_have_sold else None)
        line.delayed(verdict, due - now, first=not trail.delayed)
        return self._put_off(delivery, replace(after, delayed=True), now, due)

    def _give_up(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Unavailable, line: attempt_log.Line
    ) -> Future[None]:
        told = Rejected(Code.CHECKBOX_UNAVAILABLE, dict(verdict.detail))
        return self._reject(delivery, known, trail, told, line)

    def _put_off(self, delivery: Delivery, trail: Trail, now: float, due: float) -> Future[None]:
        queue = self._topology.waiting_for(due - now)
        return self._publisher.send("", queue, delivery.body, delivery.put_off(trail, due))

    def _label(self, known: Known) -> str:
        """The integration as a metric's label: only configured ones, so that labels do not grow."""
        name = known.integration
        return name if name is not None and self._is_configured(name) else "unknown"


def _note_failure(effect: Future[None]) -> None:
    error = effect.exception()
    if error is not None:
        metrics.UNSETTLED.inc()
        _log.warning("outcome_not_confirmed", reason=str(error), **{"error.type": type(error).__name__})
