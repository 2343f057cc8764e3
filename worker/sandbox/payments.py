"""The payments of a receipt, by means of payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.sandbox.entities import Paid

#: The label of a payment that the client does not name.
LABELS = {"CASH": "Готівка", "CASHLESS": "Картка", "CARD": "Картка"}


def paid(payload: Mapping[str, Any], value: int) -> Paid:
    kind = payload.get("type", "CASH")
    return Paid(
        type=kind,
        label=payload.get("label") or LABELS[kind],
        code=None if kind == "CASH" else payload.get("code") or 1,
        provider_type=payload.get("provider_type"),
        value=value,
    )


def less_change(payloads: Sequence[Mapping[str, Any]] | None, rest: int) -> list[Paid]:
    """Change is subtracted from the cash payments in order."""
    result = []
    for payload in payloads or ():
        value = payload["value"]
        if payload.get("type", "CASH") == "CASH":
            change = min(rest, value)
            rest -= change
            value -= change
        result.append(paid(payload, value))
    return result
