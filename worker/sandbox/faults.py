"""Faults on demand: what may go wrong between a client and Checkbox, with a probability, a count and a scope.

Draws come from a generator of each fault's own, so that a seed repeats them as long as the requests come in
the same order.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from worker.sandbox.fault_kinds import KINDS, Place


@dataclass(frozen=True, slots=True)
class Fault:
    """A configured fault. Without a scope it applies wherever its kind can."""

    kind: str
    probability: float = 1.0
    #: How many more times it applies; None is unlimited.
    count: int | None = None
    #: ``POST /receipts/sell`` or ``/receipts/sell``; ``{receipt_id}`` is literal.
    endpoint: str | None = None
    cashier: str | None = None
    #: A chain's id too, where the call names no receipt.
    receipt: str | None = None
    seconds: float = 0.0
    words: str | None = None
    status: int = 400
    code: str | None = None
    retry_after: str | None = None
    commit: bool = False

    @classmethod
    def of(cls, kind: str, settings: Mapping[str, Any]) -> Fault:
        """Raises ``ValueError`` for an unknown kind or setting, or an invalid value."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind}; there are {', '.join(sorted(KINDS))}")
        default = KINDS[kind]
        known = {field.name for field in fields(cls)} - {"kind"}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ValueError(f"no setting {unknown[0]} of a fault; there are {', '.join(sorted(known))}")
        fault = cls(
            kind,
            endpoint=default.endpoint,
            seconds=default.seconds,
            words=default.words,
            status=default.status,
            code=default.code,
            commit=default.commit,
        )
        return replace(fault, **{name: _CASTS.get(name, str)(value) for name, value in settings.items()})

    @classmethod
    def parse(cls, text: str) -> Fault:
        """``KIND[=PROBABILITY][,SETTING=VALUE...]`` of the command line."""
        head, *rest = text.split(",")
        kind, equals, probability = head.partition("=")
        settings: dict[str, Any] = {"probability": probability} if equals else {}
        for part in rest:
            name, equals, value = part.partition("=")
            if not equals:
                raise ValueError(f"a setting of a fault is written name=value, not {part!r}")
            settings[name.strip()] = value.strip()
        return cls.of(kind.strip(), settings)

    def fits(self, endpoint: str, cashier: str | None, receipt: str | None) -> bool:
        if self.endpoint is not None and self.endpoint not in (endpoint, endpoint.partition(" ")[2]):
            return False
        if self.cashier is not None and self.cashier != cashier:
            return False
        return self.receipt is None or (receipt is not None and self.receipt.lower() == receipt.lower())


class FaultBook:
    """The configured faults, and how often each kind has applied."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._entries: list[_Entry] = []
        self._added = 0
        self.struck: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        generator = random.Random(f"{self._seed}/{self._added}" if self._seed is not None else None)  # noqa: S311
        self._added += 1
        self._entries.append(_Entry(fault, generator, fault.count))

    def __bool__(self) -> bool:
        return bool(self._entries)

    def clear(self) -> None:
        self._entries.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [{**asdict(entry.fault), "left": entry.left} for entry in self._entries]

    def draw(self, place: Place, endpoint: str, cashier: str | None, receipt: str | None) -> list[Fault]:
        """The faults that apply now: at most one to an exchange, all that match elsewhere."""
        struck: list[Fault] = []
        for entry in self._entries:
            if place == "exchange" and struck:
                break
            if KINDS[entry.fault.kind].place != place or not entry.fault.fits(endpoint, cashier, receipt):
                continue
            if entry.strikes():
                self.struck[entry.fault.kind] += 1
                struck.append(entry.fault)
        return struck

    def hides(self, endpoint: str, cashier: str, receipt: str, age: float) -> bool:
        """Whether this endpoint hides a receipt issued ``age`` seconds ago."""
        for entry in self._entries:
            fault = entry.fault
            is_young = fault.kind == "hidden_for" and age < fault.seconds
            if is_young and fault.fits(endpoint, cashier, receipt) and entry.strikes():
                self.struck[fault.kind] += 1
                return True
        return False


class _Entry:
    def __init__(self, fault: Fault, generator: random.Random, left: int | None) -> None:
        self.fault = fault
        self.left = left
        self._generator = generator

    def strikes(self) -> bool:
        if self.left == 0 or self._generator.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _boolean(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes")


_CASTS: Mapping[str, Any] = {
    "probability": float,
    "count": lambda value: None if value is None else int(value),
    "seconds": float,
    "commit": _boolean,
    "endpoint": lambda value: value,
    "cashier": lambda value: value,
    "receipt": lambda value: value,
    "words": lambda value: value,
    "status": int,
    "code": lambda value: value,
    "retry_after": lambda value: None if value is None else str(value),
}
