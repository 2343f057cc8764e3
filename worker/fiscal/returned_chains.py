"""Chains that were seen returned: a chain stays so, and is read no more."""

from __future__ import annotations

#: Ids that are remembered; of more the newest.
_KEPT = 10_000


class ReturnedChains:
    """What a process remembers. Forgotten it costs requests, and nothing else."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def __contains__(self, relation_id: str) -> bool:
        return relation_id in self._ids

    def add(self, relation_id: str) -> None:
        self._ids[relation_id] = None
        if len(self._ids) > _KEPT:
            self._ids.pop(next(iter(self._ids)), None)
