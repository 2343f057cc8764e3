"""Bimp's ear: when the event of each request came."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pika

from worker.rabbit.topology import EVENTS_QUEUE

_STALLED_AFTER = 60.0


@dataclass(slots=True)
class Heard:
    """When the event of each request came; a context manager."""

    url: str
    at: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _listen(self) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=500)
            for method, _, body in channel.consume(EVENTS_QUEUE, auto_ack=True, inactivity_timeout=0.2):
                if self._stop.is_set():
                    return
                if method is not None:
                    self.failed += method.routing_key != "fiscalization.succeeded"
                    self.at.setdefault(json.loads(body)["data"]["requestId"], time.monotonic())

    def wait_for(self, wanted: set[str]) -> None:
        """Raises ``TimeoutError`` when nothing new came for a minute."""
        self._wait(lambda: len(wanted & self.at.keys()), len(wanted))

    def wait_for_count(self, enough: int) -> None:
        """The same for so many requests since the beginning, whichever they are."""
        self._wait(lambda: len(self.at), enough)

    def _wait(self, counted: Callable[[], int], enough: int) -> None:
        count, since = -1, time.monotonic()
        while (found := counted()) < enough:
            if found != count:
                count, since = found, time.monotonic()
            if time.monotonic() - since > _STALLED_AFTER:
                raise TimeoutError(f"{found} of {enough}")
            time.sleep(0.05)
