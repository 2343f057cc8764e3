"""Chains that were seen returned: a chain stays so, and is read no more."""

from __future__ import annotations

from threading import Lock

#: Ids that are remembered; of more the newest.
_KEPT = 10_000


class ReturnedChains:
    """What a process remembers, for any thread. Forgotten it costs requests, and nothing else."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._lock = Lock()

    def __contains__(self, relation_id: str) -> bool:
        return relation_id in self._ids

    def add(self, relation_id: str) -> None:
        with self._lock:
            self._ids[relation_id] = None
            if len(self._ids) > _KEPT:
                del self._ids[next(iter(self._ids))]
