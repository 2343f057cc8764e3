"""The sandbox's time: seconds since the epoch, which a test may move forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

KYIV = ZoneInfo("Europe/Kyiv")
DAY = 86_400.0


class Clock:
    """Every state of a shift or receipt is a function of this clock, so that no timers are needed."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0

    def now(self) -> float:
        """To the microsecond, as answers show it, so that a search finds the instant that was shown."""
        return round(self._source() + self._ahead, 6)

    def advance(self, seconds: float) -> None:
        """Never backwards: a receipt that is DONE cannot become CREATED again."""
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._ahead += seconds


@lru_cache(maxsize=8192)
def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


def iso_kyiv(moment: float) -> str:
    """Checkbox writes ``closed_at`` with the Kyiv offset, all other times in UTC (seen live)."""
    return datetime.fromtimestamp(moment, KYIV).isoformat(timespec="microseconds")


def parse_iso(text: str) -> float:
    """Raises ``ValueError``. A time without a zone is Kyiv's, as a client that was tested live sends it."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=KYIV)).timestamp()


def month_start(now: float) -> float:
    """When the month of ``now`` began in Kyiv."""
    local = datetime.fromtimestamp(now, KYIV)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def is_today_in_kyiv(moment: float, now: float) -> bool:
    return datetime.fromtimestamp(moment, KYIV).date() == datetime.fromtimestamp(now, KYIV).date()
