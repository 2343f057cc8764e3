"""The token of a running session, for checks: they cost no further token, and no sale waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable

from worker.checkbox.session import Session
from worker.checkbox.sessions import Sessions
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Postponed

#: Seconds that a session in use is waited for.
_PATIENCE = 30.0
#: Seconds between two attempts, at most.
_ASK_AGAIN = 1.0


class RunningTokens:
    """Has the session for as long as a sign-in takes, and not while Checkbox is asked."""

    def __init__(self, sessions: Sessions, integration: Integration, cashier: Cashier) -> None:
        self._sessions = sessions
        self._integration = integration
        self._cashier = cashier

    def get(self) -> str:
        """Raises what a sign-in raises, and ``Postponed`` where the session stays in use."""
        return self._entered(lambda session: session.token())

    def renew(self, refused: str) -> str:
        """The same, after this token was refused."""
        return self._entered(lambda session: session.token(refused))

    def _entered(self, use: Callable[[Session], str]) -> str:
        give_up_at = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._sessions.enter(self._integration, self._cashier) as session:
                    return use(session)
            except Postponed as wait:
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(min(wait.after, _ASK_AGAIN))
