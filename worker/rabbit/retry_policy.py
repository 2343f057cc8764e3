"""When an order is tried again after a fault."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from worker.rabbit.delivery import LONGEST_WAIT


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again. Seconds."""

    min_backoff: float
    max_backoff: float
    max_age: float

    def delay(self, faults: int, asked: float | None, random: Random) -> float:
        """Exponential with jitter; not before the other side's Retry-After, up to ten minutes of it."""
        backoff: float = min(self.max_backoff, self.min_backoff * 2.0 ** min(faults, 30))
        jittered = backoff * random.uniform(0.75, 1.25)
        return max(min(self.max_backoff, jittered), min(asked or 0.0, LONGEST_WAIT))
