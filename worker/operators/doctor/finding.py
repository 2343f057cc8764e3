"""What a look at one thing came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Only ``WRONG`` ends the command with exit code 1."""

    OK = "ok"
    #: Works now and will not for long, or is worth a look.
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is the thing, ``seen`` what was found of it, ``advice`` a sentence on what to do."""

    state: State
    check: str
    subject: str
    seen: str
    advice: str = ""

    def line(self) -> dict[str, Any]:
        """The members of a JSON line."""
        return asdict(self)


def ok(check: str, subject: str, seen: str) -> Finding:
    return Finding(State.OK, check, subject, seen)


def warning(check: str, subject: str, seen: str, advice: str) -> Finding:
    return Finding(State.WARNING, check, subject, seen, advice)


def wrong(check: str, subject: str, seen: str, advice: str) -> Finding:
    return Finding(State.WRONG, check, subject, seen, advice)
