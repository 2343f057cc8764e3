"""Keeps secrets and personal data out of other systems' texts before they are passed on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from worker.fiscal.order import Request

#: Longest text of Checkbox's that is passed on.
WORDS_LIMIT = 500
#: Read no further than this: an error page may be as long as a body may be.
_READ_LIMIT = 4_000
#: A value this short is found in any text, so that hiding it would say nothing and hide everything.
_SHORTEST_SECRET = 3
_HIDDEN = "***"

#: Fiscal number of a software register: ten digits in a row from 4000000000. Taxpayers' numbers, which have
#: ten digits as well, begin with the days of a life since 1900: no adult's with 4.
_REGISTER = r"(?<![\d+])400\d{7}(?!\d)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"bearer\s+\S+",
        r"(?<=://)[^/@\s]+(?=@)",  # credentials in an address
        r"\beyJ[\w-]+(?:\.[\w-]+)*",  # a JWT
        r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+",  # an e-mail address
        r"(?<![\w*])(?=[\d -]*[xх*•])(?:[\dxх*•][ -]?){7,18}\d",  # a card's mask
        # A phone, a card, an rrn: ten digits and more. A register's number is not part of it.
        rf"(?P<kept>{_REGISTER})|\+?\d(?:[\s().-]{{0,2}}(?!{_REGISTER})\d){{9,}}",
    )
)


def private_values(request: Request) -> tuple[str, ...]:
    """What of this request must not be repeated: the buyer's addresses and the cards' details."""
    values: list[str | None] = []
    if request.buyer is not None:
        values += [request.buyer.email, request.buyer.phone]
    for payment in request.payments:
        if payment.card is not None:
            values += [payment.card.mask, payment.card.rrn, payment.card.auth_code]
    return tuple(filter(None, values))


def scrub(words: str, secrets: Iterable[str] = ()) -> str:
    """The words without what must not be repeated, at most ``WORDS_LIMIT`` characters.

    ``secrets`` are the exact values of this request and cashier (buyer, card, password, PIN, licence key,
    token); what only looks like an e-mail address, a phone, a card or a token is hidden as well. A register's
    fiscal number stays.
    """
    text = words[:_READ_LIMIT]
    known = sorted({value for value in secrets if len(value) >= _SHORTEST_SECRET}, key=len, reverse=True)
    if known:
        text = re.sub("|".join(map(re.escape, known)), _HIDDEN, text, flags=re.IGNORECASE)
    for pattern in _PATTERNS:
        text = pattern.sub(_kept_or_hidden, text)
    return text[:WORDS_LIMIT]


def _kept_or_hidden(match: re.Match[str]) -> str:
    return match.groupdict().get("kept") or _HIDDEN
