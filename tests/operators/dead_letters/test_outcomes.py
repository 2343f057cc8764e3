"""What became of replayed letters, by the events that come back for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pika
import pytest

from worker.operators.dead_letters import outcomes
from worker.operators.dead_letters.outcomes import Outcomes


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"id": {}}', b"[" * 100_000])
def test_a_message_that_is_no_event_is_passed_over(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may publish to the events' exchange: it ends no replay."""
    hear: list[Callable[[bytes], None]] = []

    def listen(_: Any, take: Callable[[bytes], None]) -> None:
        hear.append(take)

    monkeypatch.setattr(outcomes, "listen", listen)
    known = Outcomes(cast(pika.BlockingConnection, None))
    hear[0](body)
    assert known.waiting == 0
