"""Where an order stands, and what a person does next."""

from __future__ import annotations

from worker.fiscal.chain import CANCELLED
from worker.fiscal.money import hryvnias
from worker.journal.found_order import FoundOrder
from worker.operators.dead_letters.next_steps import entry, next_step
from worker.operators.explain.sources import Explanation


def verdict(known: Explanation) -> tuple[str, str]:
    """Where the order stands, and what a person does next."""
    numbered = [found for found in known.receipts if found.receipt.is_numbered]
    if numbered:
        what = " and ".join(f"{one.operation} {one.receipt.fiscal_code}" for one in numbered)
        left = (
            "replay its letter: the receipt is found, and Bimp gets its event" if known.letters else "nothing"
        )
        return f"fiscalized: {what}{_unpaid(known)}", f"{left[0].upper()}{left[1:]}."
    unnumbered = [found for found in known.receipts if not found.receipt.is_refused]
    if known.waiting:
        due = min(row["due"] for row in known.waiting)
        return f"on its way: {known.waiting[0]['reason']}", f"Wait: the worker looks again at {due}."
    if known.letters:
        newest = known.letters[-1]
        made = ", though a receipt without a number is there" if unnumbered else ""
        return f"dead letter {newest.code}{made}", next_step(newest.code)
    if unnumbered:
        return "made at Checkbox, without a fiscal number yet", "Wait some seconds, then ask again."
    if known.found and (stands := _by_journal(known.found)):
        return stands
    if known.receipts:
        return "refused by the tax service, with no letter left", "Have the button pressed again in Bimp."
    return _not_seen(known)


def _unpaid(known: Explanation) -> str:
    """What is left of the order's last chain; one that was returned asks for nothing."""
    last = known.chains[-1] if known.chains else None
    if last is None or not last.left or last.status in CANCELLED:
        return ""
    return f"; {hryvnias(last.left)} of {hryvnias(last.total)} are left to pay"


def _by_journal(found: FoundOrder) -> tuple[str, str] | None:
    """Where nobody else knows it any more, or could be asked."""
    outcomes = [entry for entry in found.history if entry["what"] != "asked"]
    if not outcomes:
        return None
    last = outcomes[-1]
    if last["what"] == "succeeded":
        numbers = " and ".join(one["fiscalCode"] for one in last.get("receipts") or ())
        return f"fiscalized, by the journal: {numbers}", "Nothing."
    again = "Press the button in Bimp again where it is still needed."
    step = next_step(last.get("code")) if entry(last.get("code")) else again
    return f"{last['what']} {last.get('code') or ''}, by the journal", step


def _not_seen(known: Explanation) -> tuple[str, str]:
    if known.ready:
        return f"not seen: {known.ready} messages wait in the queue, it may be one of them", (
            "Wait until they are through; `doctor` shows whether they are consumed."
        )
    if known.not_asked:
        return "not seen by those who could be asked", "Ask again when the others answer."
    return "not seen: never sent, under way this second, or archived or not in UAH", (
        "See the events in Bimp, and press the button there again if there is none."
    )
