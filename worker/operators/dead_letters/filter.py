"""Which dead letters are meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from worker.rabbit.dead_letter import DeadLetter


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is empty or None leaves all of them. Times are those of ``failedAt``."""

    codes: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    cashiers: frozenset[str] = frozenset()
    #: The order's uuid or docNumber.
    order: str | None = None
    #: Ids of Bimp's requests: letters without an order have one too, unless nothing of them can be read.
    requests: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        return (
            (not self.codes or letter.code in self.codes)
            and (not self.integrations or letter.integration in self.integrations)
            and (not self.cashiers or letter.cashier in self.cashiers)
            and (self.order is None or self._names(letter, self.order))
            and (not self.requests or letter.request in self.requests)
            and self._in_time(letter)
        )

    def described(self) -> str:
        """In words, for the audit log."""
        lists = (
            ("code", self.codes), ("integration", self.integrations), ("cashier", self.cashiers),
            ("request", self.requests),
        )  # fmt: skip
        words = [f"{name} {value}" for name, values in lists for value in sorted(values)]
        words += [f"order {self.order}"] if self.order is not None else []
        words += [f"since {self.since.isoformat()}"] if self.since else []
        words += [f"until {self.until.isoformat()}"] if self.until else []
        return ", ".join(words) or "all letters"

    @staticmethod
    def _names(letter: DeadLetter, order: str) -> bool:
        return letter.doc_number == order or (letter.order or "").lower() == order.lower()

    def _in_time(self, letter: DeadLetter) -> bool:
        if self.since is None and self.until is None:
            return True
        failed_at = letter.failed_at
        return (
            failed_at is not None
            and (self.since is None or failed_at >= self.since)
            and (self.until is None or failed_at <= self.until)
        )


#: Decides about a letter that has just arrived.
Wanted = Callable[[DeadLetter], bool]
