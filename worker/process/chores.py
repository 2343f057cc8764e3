"""Chores: work that one process does for the whole fleet.

A chore may break off at any point, when its process dies or is no longer elected, and the next process begins
it anew. For some seconds both may be at work, so each chore must be harmless when it is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from worker.rabbit.election import Election


class Chore(Protocol):
    """Called by one thread, which does nothing else."""

    def work(self, progress: Callable[[], None]) -> None:
        """One round, while this process is elected. ``progress`` is called after each part of a long one.

        Long rounds ask ``Election.is_elected`` between their parts.
        """
        ...

    def rest(self) -> None:
        """One round, while it is not: metrics that the elected process alone exports are withdrawn."""
        ...


def chore_round(election: Election, chore: Chore) -> Callable[[Callable[[], None]], None]:
    """The work of a ``SupervisedLoop`` for this chore."""

    def work(progress: Callable[[], None]) -> None:
        if election.is_elected:
            chore.work(progress)
        else:
            chore.rest()

    return work
