"""Calls beside the running sessions, with their tokens: no further sign-in, and no sale waits for them."""

from __future__ import annotations

from collections.abc import Mapping

from worker.checkbox.client import CheckboxClient
from worker.checkbox.sessions import Sessions
from worker.checkbox.shift_finder import Access, Row
from worker.fiscal.integrations import Integration
from worker.process.running_tokens import RunningTokens


class RunningAccess(Access):
    """Has a session for as long as a sign-in takes, and not while Checkbox is asked."""

    def __init__(
        self, client: CheckboxClient, sessions: Sessions, integrations: Mapping[str, Integration]
    ) -> None:
        super().__init__(client, integrations)
        self._sessions = sessions

    def token(self, row: Row, refused: str | None) -> str:
        running = RunningTokens(self._sessions, *self.of(row))
        return running.get() if refused is None else running.renew(refused)
