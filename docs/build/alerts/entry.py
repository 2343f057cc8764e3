"""What the runbook says of an alert; English here, and in the catalogues of ``locale`` otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Commands stand between backquotes."""

    means: str
    check: str
    do: str
    #: What the alert tells apart by the label ``kind``, and what to do with each.
    kinds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
