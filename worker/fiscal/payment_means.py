"""The names of means of payment that a receipt may print, with the dates they are in force.

The list is data, ``payment_means.json``: the ministry changes it, and a label outside it is an offence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from worker.fiscal.kyiv import KYIV
from worker.fiscal.order import PaymentForm

#: What is printed where a label is missing or not in force.
DEFAULT_LABELS = {PaymentForm.CASH: "Готівка", PaymentForm.CASHLESS: "Картка"}

_LABEL_LIMIT = 128
_TEMPLATE = frozenset("<>")


@dataclass(frozen=True, slots=True)
class Means:
    """One name. ``named``: the name of a service may follow it; ``since`` and ``until`` are inclusive."""

    form: PaymentForm
    label: str
    since: date
    until: date
    named: bool

    def printed(self, label: str) -> str | None:
        """The label in the list's own spelling; None when it is another one."""
        words, own = label.split(), self.label.split()
        head = words[: len(own)]
        if [word.casefold() for word in head] != [word.casefold() for word in own]:
            return None
        rest = words[len(own) :]
        return " ".join([*own, *rest])[:_LABEL_LIMIT] if self.named or not rest else None


def _load() -> tuple[Means, ...]:
    rows = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["means"]
    return tuple(
        Means(
            form=PaymentForm(row["form"]),
            label=row["label"],
            since=date.fromisoformat(row.get("since", "0001-01-01")),
            until=date.fromisoformat(row.get("until", "9999-12-31")),
            named=row.get("named", False),
        )
        for row in rows
    )


MEANS = _load()


def day_of_the_list(asked_at: datetime | None, first_seen: float) -> date:
    """The day in Kyiv whose list is in force: that of the request, or on which the worker first saw it.

    Not the order's: January's order that is fiscalized today prints today's names.
    """
    return (asked_at.astimezone(KYIV) if asked_at else datetime.fromtimestamp(first_seen, KYIV)).date()


def printed_label(form: PaymentForm, label: str, day: date) -> str | None:
    """How a receipt of this day prints the label; None where the list in force lacks it.

    A template such as «Платіж через інтегратора <назва>» is not a label: its placeholder was not filled in.
    """
    if not _TEMPLATE.isdisjoint(label):
        return None
    in_force = (means for means in MEANS if means.form is form and means.since <= day <= means.until)
    return next((printed for means in in_force if (printed := means.printed(label))), None)
