"""One time limit for everything that a thread does within it, however deep it lies."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

_until: ContextVar[float] = ContextVar("deadline", default=math.inf)


class Deadline:
    """Every wait inside ends ``seconds`` after entering at the latest, and not after a deadline around it."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float | None) -> None:
        """None sets no limit of its own."""
        self._seconds = math.inf if seconds is None else seconds

    def __enter__(self) -> None:
        self._token = _until.set(min(_until.get(), time.monotonic() + self._seconds))

    def __exit__(self, *_: object) -> None:
        _until.reset(self._token)


def remaining() -> float | None:
    """Seconds that a wait may take; None without a deadline. Raises ``TimeoutError`` when it is past."""
    until = _until.get()
    if until == math.inf:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds
