"""What a person did: as commands and console report it to the journal, by way of its queue.

They need no right to write into the database, and wait for none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from worker.fiscal.privacy import scrub

#: Actions of a page.
PAGE = 100
TYPE = "ua.bimp.fiscal_worker.action.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``event`` is the name of its line in the log; ``wanted`` says in words what it was done to."""

    event: str
    actor: str
    wanted: str
    count: int
    failed: int = 0
    withheld: int = 0
    outcome: str | None = None

    def body(self, done_at: datetime) -> bytes:
        """The message; a person may have typed anything into ``wanted``, so it is scrubbed as for the log."""
        members = asdict(self) | {"actor": scrub(self.actor), "wanted": scrub(self.wanted)}
        return json.dumps({"type": TYPE, "id": str(uuid4()), "time": done_at.isoformat(), **members}).encode()


@dataclass(frozen=True, slots=True)
class Reported:
    """An action out of its message."""

    id: UUID
    time: str
    action: Action

    @classmethod
    def of(cls, body: bytes) -> Reported:
        """Raises ``LookupError``, ``TypeError`` and ``ValueError`` for what is none."""
        members: Mapping[str, Any] = json.loads(body)
        if members["type"] != TYPE:
            raise ValueError(members["type"])
        action = Action(
            event=str(members["event"]),
            actor=str(members["actor"]),
            wanted=str(members["wanted"]),
            count=int(members["count"]),
            failed=int(members["failed"]),
            withheld=int(members["withheld"]),
            outcome=None if members["outcome"] is None else str(members["outcome"]),
        )
        return cls(UUID(members["id"]), str(members["time"]), action)


@dataclass(frozen=True, slots=True)
class Done:
    """An action that the journal has."""

    at: datetime
    action: Action


@dataclass(frozen=True, slots=True)
class DonePage:
    """Some of them, the newest first; pages count from 1."""

    rows: Sequence[Done]
    number: int
    last: int
