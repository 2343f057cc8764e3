"""A message as it came off a queue, and the one format in which messages wait in our queues.

The body is always the original of Bimp, byte for byte; what earlier passes learned travels in a header. So
nothing on the wire is a Dramatiq envelope, and nothing in a body or a foreign header can name a queue, an
actor or an option of Dramatiq's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pika

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.order import Request
from worker.rabbit.headers import Header
from worker.rabbit.message.json_body import BODY_LIMIT
from worker.telemetry import trace

_KEPT = frozenset(
    {
        Header.ATTEMPT_STATE,
        Header.DUE,
        Header.WAIT,
        Header.UNTOLD,
        Header.REPLAYS,
        Header.REPLAYED_CODE,
        Header.DELAYED,
    }
)
#: Seconds. The broker takes back what is not acknowledged within 30 minutes.
LONGEST_WAIT = 600.0


@dataclass(frozen=True)
class Delivery:
    """One delivery of the broker. ``headers`` are ours only; foreign ones are dropped."""

    queue: str
    body: bytes = field(repr=False)
    content_type: str | None = None
    content_encoding: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    trace: Mapping[str, str] = field(default_factory=dict)
    redelivered: bool = False
    #: What the last pass left and read, where the message was kept in flight.
    kept_state: AttemptState | None = None
    request: Request | None = field(default=None, repr=False)
    #: When it may be worked on, in seconds since the epoch; 0 is at once.
    due: float = 0.0
    #: Seconds for which it was rescheduled.
    longest_wait: float = LONGEST_WAIT

    @classmethod
    def received(cls, queue: str, method: Any, properties: pika.BasicProperties, body: bytes) -> Delivery:
        """Headers of ours count only where they come from us: straight to the queue, through no exchange."""
        headers = properties.headers or {}
        is_ours = method.exchange == ""
        due = headers.get(Header.DUE) if is_ours else None
        wait = headers.get(Header.WAIT) if is_ours else None
        return cls(
            queue=queue,
            body=body,
            content_type=properties.content_type,
            content_encoding=properties.content_encoding,
            headers={name: headers[name] for name in headers.keys() & _KEPT} if is_ours else {},
            trace=trace.carried_by(headers) or (trace.carried_in(body) if len(body) <= BODY_LIMIT else {}),
            redelivered=bool(method.redelivered),
            due=due / 1000 if isinstance(due, int) else 0.0,
            longest_wait=wait / 1000 if isinstance(wait, int) else LONGEST_WAIT,
        )

    def kept_in_flight(
        self, state: AttemptState, request: Request, due: float, wait: float = LONGEST_WAIT
    ) -> Delivery:
        """The same, to be worked on again by this process, which does not let go of it.

        It is due at ``due``, and in ``wait`` seconds at latest.
        """
        return replace(self, kept_state=state, request=request, due=due, longest_wait=wait)

    def wait(self, now: float) -> float:
        """Seconds until it may be worked on. A clock that was wrong, here or elsewhere, makes none longer."""
        return min(self.due - now, self.longest_wait, LONGEST_WAIT)

    @property
    def is_kept(self) -> bool:
        """A pass was made over it, and the process has not let go of it since."""
        return self.kept_state is not None

    @property
    def replays(self) -> int:
        count = self.headers.get(Header.REPLAYS)
        return count if isinstance(count, int) and count > 0 else 0

    @property
    def replayed_code(self) -> str | None:
        """The code of the dead letter that this replays; at its first arrival only."""
        code = self.headers.get(Header.REPLAYED_CODE)
        return code if isinstance(code, str) and not (self.redelivered or self.is_kept) else None

    @property
    def is_first(self) -> bool:
        """Nobody has looked at the message before, as far as is known."""
        return not (self.redelivered or self.replays or self.is_kept or Header.ATTEMPT_STATE in self.headers)

    def attempt_state(self, now: float) -> AttemptState:
        """What earlier passes left, or a new attempt state. Nothing was first seen after ``now``."""
        # Where the past is unknown, the message may have sold just now.
        is_lost = self.last_state is None and Header.ATTEMPT_STATE in self.headers
        may_have_sold = self.redelivered or is_lost
        state = self.last_state or AttemptState(
            first_seen=now,
            replays=self.replays,
            look_up_first=self.replays > 0,
            delayed=self.headers.get(Header.DELAYED) is True,
        )
        return replace(
            state,
            first_seen=min(state.first_seen, now),
            redelivered=may_have_sold,
            look_up_first=state.look_up_first or may_have_sold,
        )

    @cached_property
    def last_state(self) -> AttemptState | None:
        """What the last pass left, in flight or in a header; None if there was none, or it cannot be read."""
        if self.kept_state is not None:
            return self.kept_state
        kept = self.headers.get(Header.ATTEMPT_STATE)
        return AttemptState.loaded(kept) if isinstance(kept, str) else None

    def rescheduled(
        self, state: AttemptState, due: float, wait: float = LONGEST_WAIT
    ) -> pika.BasicProperties:
        """Properties under which the same body comes back at ``due``, and in ``wait`` seconds at latest."""
        return self.properties({Header.ATTEMPT_STATE: state.dumped(), **waiting(due, wait)})

    def properties(self, headers: Mapping[str, Any]) -> pika.BasicProperties:
        """Properties of a message of ours with this body."""
        return pika.BasicProperties(
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            headers={**self.trace, **headers},
        )


def waiting(due: float, wait: float) -> dict[str, int]:
    """Headers for when a message may be worked on; both count, since a clock may be wrong."""
    return {Header.DUE: int(due * 1000), Header.WAIT: math.ceil(wait * 1000)}
