"""A dead letter as the pages show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from worker.fiscal.codes import Entry, Remedy
from worker.fiscal.outcomes import Code
from worker.fiscal.sentence_facts import facts
from worker.operators.dead_letters.next_steps import entry
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.headers import Header

#: A letter that came back so often is left to `dead-letters replay --force`.
MAX_REPLAYS = 10
#: Bytes of a message that is kept for the pages; a longer one is left to the commands.
_LONGEST = 64 * 1024


def key_of(letter: DeadLetter) -> str:
    """Identifies a letter from look to look; it is another one when it has come back."""
    headers = [letter.code, letter.request, letter.replays, letter.headers.get(Header.FAILED_AT)]
    return sha256(json.dumps(headers, default=str).encode() + letter.delivery.body).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Row:
    """``letter`` is without its message where that is too long.

    What pages ask of each of many thousands is a field, and found out once.
    """

    key: str
    letter: DeadLetter
    total: Decimal | None
    is_whole: bool
    code: str
    integration: str
    cashier: str
    failed_at: datetime | None
    #: Whether a replay can help: not where the same message ends the same way.
    may_replay: bool
    #: Whether the advice says that it may go in the end; it has to be kept as a copy first.
    may_discard: bool
    #: Whether it came back so often that a page does not send it again.
    is_withheld: bool

    @classmethod
    def of(cls, key: str, letter: DeadLetter, *, keeps: bool) -> Row:
        is_whole = keeps and len(letter.delivery.body) <= _LONGEST
        known = entry(letter.code)
        kept = letter if is_whole else replace(letter, delivery=replace(letter.delivery, body=b""))
        return cls(
            key,
            kept,
            _total(letter.delivery.body) if is_whole else None,
            is_whole,
            letter.code or "?",
            letter.integration or "?",
            letter.cashier or "?",
            letter.failed_at,
            may_replay=known is None or _is_hidden(letter) or known.remedy in (Remedy.REPLAY, Remedy.EITHER),
            may_discard=is_whole and (known is None or known.remedy in (Remedy.DISCARD, Remedy.EITHER)),
            is_withheld=letter.replays >= MAX_REPLAYS,
        )

    @property
    def name(self) -> str:
        """What people call it."""
        return self.letter.doc_number or self.letter.order or self.letter.request or "?"

    @property
    def entry(self) -> Entry | None:
        return entry(self.letter.code)

    @property
    def detail(self) -> Mapping[str, Any]:
        return self.letter.line()["detail"] or {}

    @property
    def is_of_shift(self) -> bool:
        """Whether closing and opening the cashier's shift is the cure."""
        return self.letter.code in (Code.SHIFT_NOT_OPEN, Code.SHIFT_OPEN_OVER_24H)

    def facts(self, language: str) -> str:
        """What helps a person: goods, sums, Checkbox's words; empty where nothing is known."""
        if self.entry is None:
            return ""
        return facts(Code(self.code), self.detail).get(language, "")

    def fits(self, text: str) -> bool:
        """Whether a part of its number, uuid, or request is this text; case does not count."""
        names = (self.letter.doc_number, self.letter.order, self.letter.request)
        return any(text in name.casefold() for name in names if name)


def _is_hidden(letter: DeadLetter) -> bool:
    """A receipt that this cashier could not see stood in its way."""
    return letter.code == Code.RECEIPT_MISMATCH and bool((letter.line()["detail"] or {}).get("reason"))


def _total(body: bytes) -> Decimal | None:
    try:
        total = json.loads(body, parse_float=Decimal, parse_int=Decimal)["data"]["order"]["total"]
        amount = total if isinstance(total, Decimal) else Decimal(str(total))
    except (ValueError, LookupError, TypeError, RecursionError, InvalidOperation):
        return None
    return amount if amount.is_finite() and abs(amount) < 10**9 else None
