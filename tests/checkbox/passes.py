"""A worker's passes at a sandbox, without a broker: what is to be looked at later is looked at at once."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.builders import configured
from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation
from worker.checkbox.session import ReceiptRate
from worker.checkbox.sessions import Sessions
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.integrations import Integration
from worker.fiscal.issuing import PassDependencies
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Request
from worker.fiscal.outcomes import Fiscalized, Postponed, Rejected, Unavailable
from worker.interprocess.rate_limiter import RegisterRateLimiter

#: Passes of one request.
_MOST = 200


class Passes:
    """One process. Waits move its clocks, and not the sandbox's."""

    def __init__(self, client: CheckboxClient, integration: Integration) -> None:
        self.integration = integration
        self.ahead = 0.0
        rate = ReceiptRate(RegisterRateLimiter(), lambda: 1000.0, self._monotonic, self.clock)
        self.sessions = Sessions(client, rate, Isolation(8, self._monotonic))
        self._story = Fiscalization(
            lambda: configured(self.integration),
            self.sessions,
            PassDependencies(
                archive=None,
                clock=self.clock,
                monotonic=self._monotonic,
                return_wait=1.0,
                number_times=NumberTimes(),
                duplicate_prevented=lambda: None,
                warn=lambda _: None,
            ),
        )

    def clock(self) -> float:
        return time.time() + self.ahead

    def _monotonic(self) -> float:
        return 1000.0 + self.ahead

    def end_of(self, request: Request, state: AttemptState | None = None) -> Fiscalized | Rejected:
        """What becomes of a request in the end; ``state`` is what an earlier delivery left behind."""
        state = state or AttemptState(first_seen=self.clock())
        for _ in range(_MOST):
            try:
                return self._story.fiscalize(request, state)
            except Rejected as verdict:
                return verdict
            except Postponed as wait:
                state, after = wait.state or state, wait.after
            except Unavailable as fault:
                state = (fault.state or state).after_fault(self.clock() if fault.may_have_sold else None)
                after = 1.0
            state = replace(state, redelivered=False)
            self.ahead += after
        raise AssertionError("it never ends")

    def done(self, request: Request, state: AttemptState | None = None) -> Fiscalized:
        outcome = self.end_of(request, state)
        assert isinstance(outcome, Fiscalized), outcome
        return outcome

    def refused(self, request: Request) -> Rejected:
        outcome = self.end_of(request)
        assert isinstance(outcome, Rejected), outcome
        return outcome
