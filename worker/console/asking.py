"""Questions to what may hang: each in a thread of its own, so that no page waits long for the answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
#: Questions that may be without an answer at the same time; one more has none at once.
_SEATS = 32


class NoAnswer(Exception):
    """Whoever was asked takes too long."""


class Answer(Generic[T]):
    """Of one question."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future
        self._asked_at = time.monotonic()

    def within(self, seconds: float) -> T:
        """The answer, or what the question raised. Raises ``NoAnswer`` so long after it was asked."""
        try:
            return self._future.result(max(0.0, self._asked_at + seconds - time.monotonic()))
        except TimeoutError:
            raise NoAnswer from None


class Asking:
    """For any thread."""

    def __init__(self) -> None:
        self._seats = threading.BoundedSemaphore(_SEATS)

    def ask(self, question: Callable[[], T]) -> Answer[T]:
        """It is under way when this returns."""
        future: Future[T] = Future()
        if not self._seats.acquire(blocking=False):
            future.set_exception(NoAnswer())
            return Answer(future)
        thread = threading.Thread(target=self._answer, args=(question, future), name="question", daemon=True)
        thread.start()
        return Answer(future)

    def _answer(self, question: Callable[[], T], future: Future[T]) -> None:
        try:
            future.set_result(question())
        except Exception as fault:
            future.set_exception(fault)
        finally:
            self._seats.release()
