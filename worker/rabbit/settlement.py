"""The outcome of a delivery: the one place where verdicts turn into messages.

    Fiscalized    succeeded event                                    then acknowledged
    Rejected      dead letter (most codes), failed event             then acknowledged
    Postponed     into ``follow_up`` or ``retry``, by its wait       then acknowledged
                  or, to wait for its number for the first time, kept in flight
    Unavailable   delayed event (once), then as Postponed            then acknowledged
                  or, past the longest age, as Rejected with CHECKBOX_UNAVAILABLE
    anything else Rejected with INTERNAL_ERROR

and where the broker refuses a message of ours, so that nothing that was done is done again:

    succeeded, failed event    the event waits in ``outbox``         then acknowledged
    delayed event              published with the next fault
    dead letter                the order goes back into ``retry``    then acknowledged

It is decided first, and every message is made; then it is carried out; then it is counted and logged, which
changes nothing any more. The last effect is returned, on its way: the delivery is acknowledged when the
broker has confirmed it, and no thread waits for that. Of two effects the first is confirmed before the second
is begun. Where the last effect fails too, the broker takes nothing at all: the delivery goes back, and the
later effects are repeated under the same ids.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.decision import Deciding, Ended, KeptInFlight, Rescheduled, SettlementDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.outbox import Outbox
from worker.rabbit.publishing_connection import Publication
from worker.telemetry import metrics, pass_log
from worker.telemetry.quiet import Quietly

_NOTHING: Future[None] = Future()
_NOTHING.set_result(None)


class Settlement:
    """Carries out what is decided about each delivery."""

    def __init__(self, dependencies: SettlementDependencies) -> None:
        self._with = dependencies
        self._outbox = Outbox(dependencies.publisher, dependencies.topology.outbox, dependencies.clock)

    def process(self, delivery: Delivery) -> Future[None] | Delivery:
        """The actor. Returns what may end in ``PublishFailed``: nothing is settled then."""
        effect = self._outbox.publish_again(delivery) or self._settle(delivery)
        if isinstance(effect, Future):
            effect.add_done_callback(_count_failure)
        return effect

    def _settle(self, delivery: Delivery) -> Future[None] | Delivery:
        state = delivery.attempt_state(self._with.clock())
        with pass_log.logged(delivery.queue, delivery.trace, state, delivery.is_first) as line:
            if delivery.replayed_code is not None:
                with Quietly():
                    line.replayed(delivery.replayed_code)
            decision = Deciding(delivery, state, self._with, line).decide()
            if isinstance(decision, KeptInFlight):
                effect: Future[None] | Delivery = decision.delivery
            elif isinstance(decision, Rescheduled):
                effect = self._reschedule(delivery, decision)
            elif self._writes(decision.letter):
                effect = self._publish(decision.event)
            else:
                return self._decide_again(delivery, decision)
            with Quietly():
                decision.count()
            return effect

    def _reschedule(self, delivery: Delivery, decision: Rescheduled) -> Future[None]:
        state = decision.state
        if decision.delayed is not None:
            state = replace(state, delayed=self._is_taken(decision.delayed))
        return self._again(delivery, state, decision.wait)

    def _writes(self, letter: Publication | None) -> bool:
        """The letter comes first: the event says that there is one."""
        return letter is None or self._is_taken(letter)

    def _is_taken(self, publication: Publication) -> bool:
        if self._with.publisher.send(*publication).exception() is None:
            return True
        with Quietly():
            metrics.UNSETTLED.inc()
        return False

    def _publish(self, event: Publication | None) -> Future[None]:
        return self._outbox.publish(event) if event is not None else _NOTHING

    def _decide_again(self, delivery: Delivery, ended: Ended) -> Future[None]:
        """Without its letter nothing is over: once more, after as long as the request is old."""
        age, policy = self._with.clock() - ended.state.first_seen, self._with.policy
        wait = min(max(age, policy.min_backoff), policy.max_backoff)
        return self._again(delivery, replace(ended.state, look_up_first=True), wait)

    def _again(self, delivery: Delivery, state: AttemptState, wait: float) -> Future[None]:
        queue = self._with.topology.waiting_for(wait)
        properties = delivery.rescheduled(state, self._with.clock() + wait, wait)
        return self._with.publisher.send("", queue, delivery.body, properties)


def _count_failure(effect: Future[None]) -> None:
    if effect.exception() is not None:
        with Quietly():
            metrics.UNSETTLED.inc()
