"""What became of replayed letters, by the events that come back for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pika
import pytest

from tests.builders import a_body
from worker.fiscal.sentences import Outcome
from worker.operators.dead_letters import outcomes
from worker.operators.dead_letters.outcomes import Outcomes
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.delivery import Delivery
from worker.rabbit.events import event_id
from worker.rabbit.message.reading import identify

LETTER = DeadLetter(Delivery("fiscalize.dead_letters", a_body()), {})
#: The id of the event that the letter waits for.
DUE = event_id(identify(LETTER.delivery.body), Outcome.FAILED, LETTER.replays + 1)
STRANGE: list[dict[str, Any]] = [
    {"id": {}},
    {"id": DUE},
    {"id": DUE, "type": 5},
    {"id": DUE, "type": "x", "data": None},
    {"id": DUE, "type": "x", "data": {}},
]


@pytest.mark.parametrize(
    "body", [b"no JSON", b"[]", b"{}", b"[" * 100_000, *(json.dumps(one).encode() for one in STRANGE)]
)
def test_a_message_that_is_no_event_is_passed_over(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may publish to the events' exchange: it ends no replay."""
    hear: list[Callable[[bytes], None]] = []

    def listen(_: Any, take: Callable[[bytes], None]) -> None:
        hear.append(take)

    monkeypatch.setattr(outcomes, "listen", listen)
    known = Outcomes(cast(pika.BlockingConnection, None))
    known.expect(LETTER)
    hear[0](body)
    assert (known.waiting, known.fiscalized) == (1, 0)
