"""What becomes of a delivery: the one place where verdicts turn into messages.

    Fiscalized    succeeded event                                    then acknowledged
    Rejected      dead letter (most codes), failed event             then acknowledged
    Postponed     back into ``follow_up`` when it is due             then acknowledged
    Unavailable   delayed event (once), back into ``retry``          then acknowledged
                  or, past the longest age, as Rejected with CHECKBOX_UNAVAILABLE
    anything else Rejected with INTERNAL_ERROR

Everything is confirmed by the broker before this returns. When it raises, nothing may be acknowledged: the
delivery goes back, and repeats the later effects under the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
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
from worker.fiscal.trail import Trail
from worker.rabbit.brake import Brake
from worker.rabbit.connection import Publisher, PublishFailed
from worker.rabbit.dead_letters import DeadLetter, publish_dead_letter
from worker.rabbit.delivery import Delivery
from worker.rabbit.events import Events
from worker.rabbit.message import InvalidMessage, Known, read
from worker.rabbit.topology import Topology
from worker.telemetry import attempt_log
from worker.telemetry.logs import logger

_log = logger(__name__)

#: Waits that are nobody's fault: the row is long, and moves.
_OWN_ROWS = frozenset({"register_turn", "cashier_in_use"})
#: What waits is held unacknowledged, and the broker's patience ends at 30 minutes.
_LONGEST_HOLD = 600.0
#: Waits up to this stay in the queue of short waits.
_SHORT_WAIT = 20.0


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
        fiscalize: Callable[[Request, Trail], Fiscalized],
        publisher: Publisher,
        topology: Topology,
        policy: RetryPolicy,
        brake: Brake,
        is_configured: Callable[[str], bool],
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self._fiscalize = fiscalize
        self._publisher = publisher
        self._topology = topology
        self._policy = policy
        self._brake = brake
        self._is_configured = is_configured
        self._clock = clock
        self._random = random
        self._events = Events(publisher, clock)

    def process(self, delivery: Delivery) -> None:
        """The actor. Raises ``PublishFailed`` when an outcome could not be confirmed."""
        trail = delivery.trail(self._clock())
        with attempt_log.attempt(delivery.queue, delivery.trace, trail, delivery.is_first) as line:
            if delivery.replayed_code is not None:
                line.replayed(delivery.replayed_code)
            known = Known()
            try:
                request = read(delivery.body)
                known = Known.of(request)
                line.know(known, self._label(known), request.time)
                self._pass(delivery, request, known, trail, line)
            except InvalidMessage as invalid:
                line.know(invalid.known, self._label(invalid.known))
                self._reject(delivery, invalid.known, trail, invalid, line)
            except PublishFailed:
                raise
            except Exception as error:  # whatever it is, it is this message's alone
                _log.error("request_broke_the_worker", exc_info=error)
                broken = Rejected(Code.INTERNAL_ERROR, {"error": type(error).__name__})
                self._reject(delivery, known, trail, broken, line)

    def _pass(
        self, delivery: Delivery, request: Request, known: Known, trail: Trail, line: attempt_log.Line
    ) -> None:
        try:
            done = self._fiscalize(request, trail)
        except Rejected as verdict:
            self._reject(delivery, known, trail, verdict, line)
        except Postponed as verdict:
            self._postpone(delivery, known, trail, verdict, line)
        except Unavailable as verdict:
            self._retry(delivery, known, trail, verdict, line)
        else:
            self._events.succeeded(known, trail, done, request.order.total)
            self._brake.note(None, None)
            line.succeeded(done)

    def _reject(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Rejected, line: attempt_log.Line
    ) -> None:
        """The dead letter first: the event says that there is one."""
        dead_lettered = verdict.code not in NOT_DEAD_LETTERED
        if dead_lettered:
            letter = DeadLetter.of(delivery, known, trail, verdict, self._topology.queue, self._clock())
            publish_dead_letter(self._publisher, letter)
        if known.request_id is not None:
            self._events.failed(known, trail, verdict, dead_lettered)
        if self._brake.note(verdict.code, f"{known.integration}/{known.cashier}"):
            _log.error("worker_stopped_itself", code=verdict.code.value, until=self._brake.released_at)
        line.failed(verdict, dead_lettered)

    def _postpone(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Postponed, line: attempt_log.Line
    ) -> None:
        trail = verdict.trail or trail
        now = self._clock()
        if verdict.reason not in _OWN_ROWS and now - trail.first_seen > self._policy.max_age:
            self._give_up(delivery, known, trail, Unavailable({"reason": verdict.reason}), line)
            return
        queue = self._topology.follow_up if verdict.after <= _SHORT_WAIT else self._topology.retry
        wait = min(verdict.after, self._policy.max_backoff)
        self._put_off(delivery, queue, trail, now + wait)
        line.postponed(verdict.reason, wait)

    def _retry(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Unavailable, line: attempt_log.Line
    ) -> None:
        now = self._clock()
        end = trail.first_seen + self._policy.max_age
        if now >= end:
            self._give_up(delivery, known, trail, verdict, line)
            return
        due = min(now + self._policy.delay(trail.faults, verdict.retry_after, self._random), end)
        if not trail.delayed:
            self._events.delayed(known, trail, verdict, due)
        after = trail.after_fault(now if verdict.may_have_sold else None)
        self._put_off(delivery, self._topology.retry, replace(after, delayed=True), due)
        line.delayed(verdict, due - now, first=not trail.delayed)

    def _give_up(
        self, delivery: Delivery, known: Known, trail: Trail, verdict: Unavailable, line: attempt_log.Line
    ) -> None:
        self._reject(delivery, known, trail, Rejected(Code.CHECKBOX_UNAVAILABLE, dict(verdict.detail)), line)

    def _put_off(self, delivery: Delivery, queue: str, trail: Trail, due: float) -> None:
        self._publisher.publish("", queue, delivery.body, delivery.put_off(trail, due))

    def _label(self, known: Known) -> str:
        """The integration as a metric's label: only configured ones, so that labels do not grow."""
        name = known.integration
        return name if name is not None and self._is_configured(name) else "unknown"
