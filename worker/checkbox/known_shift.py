"""What is known of a cashier's shift, and for how long that may be believed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from worker.checkbox.token import BELIEVED
from worker.fiscal.ports import Shift

#: Seconds for which a shift that is being opened or closed is taken to be so still.
_UNDER_WAY = 0.7


class KnownShift:
    """The last look at the shift. A shift in which one may sell is believed until it is contradicted."""

    def __init__(self, monotonic: Callable[[], float], clock: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._clock = clock
        self._shift: Shift | None = None
        self._seen_at: float | None = None
        self._expired_at = -math.inf

    @property
    def shift(self) -> Shift | None:
        """With the mark of a refused sale, where there was one."""
        if self._shift is not None and self._monotonic() - self._expired_at < BELIEVED:
            return replace(self._shift, expired=True)
        return self._shift

    @property
    def register(self) -> str | None:
        return self._shift.register_id if self._shift is not None else None

    @property
    def opened_at(self) -> float:
        """In seconds since the epoch; NaN while no open shift is known."""
        opened_at = self._shift.opened_at if self._shift is not None and self._shift.is_open else None
        return math.nan if opened_at is None else opened_at

    def see(self, shift: Shift | None) -> None:
        """Take note of what Checkbox said about the shift."""
        if self._shift is not None and (shift is None or shift.id != self._shift.id):
            self._expired_at = -math.inf
        self._shift = shift
        self._seen_at = self._monotonic()

    def doubt(self) -> None:
        """What is known was contradicted: the next one looks."""
        self._seen_at = None

    def has_expired(self) -> None:
        """Checkbox refused a sale because of the shift's age, whatever its figures say."""
        self._expired_at = self._monotonic()
        self.doubt()

    def is_doubtful(self, good_for: float) -> bool:
        """Whether to look: a shift older than ``good_for`` seconds stands in the way, and may be gone."""
        return self._seen_at is None or self._monotonic() - self._seen_at >= self._believed(good_for)

    def _believed(self, good_for: float) -> float:
        shift = self._shift
        if shift is None or shift.is_closed:
            return BELIEVED
        if not shift.is_open or shift.opened_at is None:
            return _UNDER_WAY
        return BELIEVED if self._clock() - shift.opened_at >= good_for else math.inf
