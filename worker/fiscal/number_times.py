"""How long the tax service's number takes, learned from the receipts made, so that one look is enough."""

from __future__ import annotations

import threading
from collections import deque

#: Receipts after which what was seen counts for more than the default.
_LEARNED_AFTER = 20
_KEPT = 50
_DEFAULT_FIRST = 2.0
_DEFAULT_GAP = 0.5
_LONGEST_GAP = 15.0
#: A look a little late finds the number; one a little early costs a second request.
_MARGIN = 0.08
#: The look comes at most this much after the number of the quickest receipts.
_TOLERANCE = 0.4


class NumberTimes:
    """Seconds from a receipt's creation to its number, of the last receipts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[float] = deque(maxlen=_KEPT)
        self._first = _DEFAULT_FIRST

    def saw(self, seconds: float) -> None:
        with self._lock:
            self._seen.append(max(0.0, seconds))
            if len(self._seen) >= _LEARNED_AFTER:
                ordered = sorted(self._seen)
                quick, slow = ordered[len(ordered) // 10], ordered[len(ordered) * 9 // 10]
                self._first = min(slow, quick + _TOLERANCE) + _MARGIN

    def next_look(self, looks: int) -> float:
        """Seconds until the next look, after ``looks`` that found no number; a long wait costs little."""
        if looks == 0:
            return self._first
        return min(_LONGEST_GAP, _DEFAULT_GAP * 1.25 ** max(0, looks - 4))
