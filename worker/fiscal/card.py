"""Card numbers: of a whole one, no receipt and no other program gets more than PCI DSS 3.4 lets be shown."""

from __future__ import annotations

from dataclasses import replace

from worker.fiscal.order import Card

_FIRST, _LAST = 6, 4


def masked(card: Card) -> Card:
    """The card with at most the first six and the last four digits of its number; the same where it is so."""
    mask = card.mask or ""
    places = [place for place, character in enumerate(mask) if character.isdigit()]
    if len(places) <= _FIRST + _LAST:
        return card
    hidden = frozenset(places[_FIRST:-_LAST])
    return replace(card, mask="".join("*" if at in hidden else each for at, each in enumerate(mask)))
