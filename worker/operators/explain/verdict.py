"""Where an order stands, and what a person does next."""

from __future__ import annotations

from worker.fiscal.chain import CANCELLED
from worker.fiscal.codes import Remedy
from worker.fiscal.money import hryvnias
from worker.journal.found_order import Entry, FoundOrder
from worker.operators.dead_letters.next_steps import entry, next_step
from worker.operators.explain.sources import Explanation


def verdict(known: Explanation) -> tuple[str, str]:
    """Where the order stands, and what a person does next."""
    numbered = [found for found in known.receipts if found.receipt.is_numbered]
    if numbered:
        what = " and ".join(f"{one.operation} {one.receipt.fiscal_code}" for one in numbered)
        on_its_way = f"; a request is {_on_its_way(known)}" if known.waiting else ""
        return f"fiscalized: {what}{_unpaid(known)}{on_its_way}", _left_to_do(known)
    unnumbered = [found for found in known.receipts if not found.receipt.is_refused]
    if known.waiting:
        return _on_its_way(known), _wait(known)
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


def _on_its_way(known: Explanation) -> str:
    return f"on its way: {known.waiting[0]['reason']}"


def _wait(known: Explanation) -> str:
    due = min(row["due"] for row in known.waiting)
    return f"Wait: the worker looks again at {due}."


def _left_to_do(known: Explanation) -> str:
    """Of an order that has a receipt."""
    if known.waiting:
        return _wait(known)
    codes = [letter.code for letter in reversed(known.letters)]
    if others := [code for code in codes if not _finds_the_receipt(code)]:
        return next_step(others[0])
    return "Replay its letter: the receipt is found, and Bimp gets its event." if codes else "Nothing."


def _finds_the_receipt(code: str | None) -> bool:
    """Whether a replay ends with the receipt; where something does not fit, people compare first."""
    known = entry(code)
    return known is not None and known.remedy is Remedy.REPLAY and not str(code).endswith("_MISMATCH")


def _unpaid(known: Explanation) -> str:
    """What is left of the order's last chain; one that was returned asks for nothing."""
    last = known.chains[-1] if known.chains else None
    if last is None or not last.left or last.status in CANCELLED:
        return ""
    return f"; {hryvnias(last.left)} of {hryvnias(last.total)} are left to pay"


def _by_journal(found: FoundOrder) -> tuple[str, str] | None:
    """Where nobody else knows it any more, or could be asked."""
    standing = _standing(found)
    if not standing:
        return None
    last = standing[-1]
    if last["what"] == "succeeded":
        numbers = " and ".join(one["fiscalCode"] for one in last.get("receipts") or ())
        return f"fiscalized, by the journal: {numbers}", "Nothing."
    again = "Press the button in Bimp again where it is still needed."
    step = next_step(last.get("code")) if entry(last.get("code")) else again
    return f"{last['what']} {last.get('code') or ''}, by the journal", step


def _standing(found: FoundOrder) -> list[Entry]:
    """What counts of the outcomes of its own requests, the latest last.

    Each prepayment is a receipt of its own, and all other requests ask for one and the same: once it is
    there, a later failure takes nothing away.
    """
    payments = {one["requestId"]: one["paymentUuid"] for one in found.own if one["what"] == "asked"}
    standing: dict[str | None, Entry] = {}
    for outcome in found.own:
        payment = payments.get(outcome.get("requestId"))
        is_done = payment in standing and standing[payment]["what"] == "succeeded"
        if outcome["what"] == "succeeded" or (outcome["what"] != "asked" and not is_done):
            standing.pop(payment, None)
            standing[payment] = outcome
    return list(standing.values())


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
