"""Calls beside the running sessions, with their tokens: no further sign-in, and no sale waits for them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from worker.checkbox.client import CheckboxClient
from worker.checkbox.sessions import Sessions
from worker.checkbox.shift_finder import Access, Row
from worker.fiscal.integrations import Integration
from worker.fiscal.outcomes import Postponed

#: Seconds that a session in use is waited for, and between two attempts.
_PATIENCE = 30.0
_ASK_AGAIN = 1.0


class RunningAccess(Access):
    """Has a session for as long as a sign-in takes, and not while Checkbox is asked."""

    def __init__(
        self, client: CheckboxClient, sessions: Sessions, integrations: Mapping[str, Integration]
    ) -> None:
        super().__init__(client, integrations)
        self._sessions = sessions

    def token(self, row: Row, refused: str | None) -> str:
        give_up_at = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._sessions.enter(*self.of(row)) as session:
                    return session.token(refused)
            except Postponed as wait:
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(min(wait.after, _ASK_AGAIN))
