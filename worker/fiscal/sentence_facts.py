"""What helps the reader of a sentence: facts of a verdict's detail. Goods are named by code alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from worker.fiscal.codes import CATALOGUE
from worker.fiscal.languages import Sentence, in_each, translated
from worker.fiscal.outcomes import Code
from worker.fiscal.privacy import scrub
from worker.fiscal.receipt_lines import shortened
from worker.fiscal.sentence_texts import NOT_ACCOUNTABLE

_Facts = Iterator[tuple[str, str]]

#: Characters of a fact.
_LIMIT = 250
#: Goods that are named; of more the first ones.
_NAMED = 5
#: A word of ours for a cause, and not a sentence of Checkbox's.
_OUR_WORD = re.compile(r"[a-z_]+")
_PLAIN = (
    *("integration", "cashier", "currency", "register", "sold", "returned"),
    *("total", "paid", "left", "expected", "found"),
)


def facts(code: Code, detail: Mapping[str, Any]) -> Sentence:
    """In each language, to stand in brackets; nothing where no fact of this code is known."""
    known = _facts_of(code, detail)
    for template in CATALOGUE[code].facts:
        try:
            filled = {language: words.format_map(known) for language, words in in_each(template).items()}
        except KeyError:
            continue
        return {language: _worded(words, language) for language, words in filled.items()}
    return {}


def _worded(fact: str, language: str) -> str:
    return shortened(fact.replace("not_accountable", translated(NOT_ACCOUNTABLE, language)), _LIMIT)


def _facts_of(code: Code, detail: Mapping[str, Any]) -> Mapping[str, str]:
    """By the names that the templates use; a detail of another shape has none, and stops no event."""
    plain = {name: text for name in _PLAIN if isinstance(text := detail.get(name), str)}
    try:
        return plain | dict(_OF_CODE.get(code, _words)(detail))
    except (ArithmeticError, AttributeError, LookupError, TypeError):
        return plain


def _words(detail: Mapping[str, Any]) -> _Facts:
    """Checkbox's own, in one line."""
    errors = detail.get("errors") or [{}]
    said = detail.get("words") or detail.get("message") or errors[0].get("problem")
    if said:
        yield "words", scrub(" ".join(said.split()))


def _opening(detail: Mapping[str, Any]) -> _Facts:
    """A refused opening keeps Checkbox's words as its reason, unless that is a word of ours."""
    reason = detail.get("reason")
    is_ours = reason is None or _OUR_WORD.fullmatch(reason)
    return _words(detail if is_ours else {"words": reason})


def _place(detail: Mapping[str, Any]) -> _Facts:
    """The first that is wrong; the message as a whole has no name."""
    if (errors := detail.get("errors")) and errors[0]["path"]:
        yield "place", errors[0]["path"]


def _places(detail: Mapping[str, Any]) -> _Facts:
    """Where the settings have a mistake; the whole of an integration has no name."""
    yield "places", _listed([problem["path"] or "/" for problem in detail["problems"]])


def _sums(detail: Mapping[str, Any]) -> _Facts:
    """The first two that differ: of a line, of the lines and the total, or of the total and the payments."""
    for line in detail.get("lines", ()):
        sums = f"{line['count']} × {line['cost']} − {line['discount']} ≠ {line['amount']}"
        yield "line", f"{line['code']}: {sums}"
        return
    if "total" not in detail:
        return
    goods = Decimal(detail["amounts"]) - Decimal(detail["discount"])
    if goods != Decimal(detail["total"]):
        yield from (("goods", f"{goods:.2f}"), ("total", detail["total"]))
    else:
        yield from (("paid", detail["payments"]), ("due", detail.get("rounded", detail["total"])))


def _registers(detail: Mapping[str, Any]) -> _Facts:
    """Where the shift is, and where it ought to be; either number may be unknown."""
    if detail["shiftRegister"]:
        yield "register", detail["shiftRegister"]
        if detail["licenseKeyRegister"]:
            yield "expectedRegister", detail["licenseKeyRegister"]


def _rates(detail: Mapping[str, Any]) -> _Facts:
    """Each rate without a code, and the goods that have it."""
    goods: dict[str, list[str]] = {}
    for line in detail.get("lines", ()):
        goods.setdefault(_percent(line["rate"]), []).append(line["code"])
    if goods:
        yield "rates", "; ".join(f"{rate}: {_listed(codes)}" for rate, codes in goods.items())


def _misfit(detail: Mapping[str, Any]) -> _Facts:
    """The rate whose code does not fit, what the code is at Checkbox, and the code to take."""
    yield from (("rate", _percent(detail["rate"])), ("code", str(detail["code"])))
    if detail["checkboxRate"] is not None:
        yield "checkboxRate", _percent(detail["checkboxRate"])
    if detail["fittingCode"] is not None:
        yield "fittingCode", str(detail["fittingCode"])
    yield "goods", _listed(detail["goods"])


def _percent(rate: str) -> str:
    return rate if rate == "not_accountable" else f"{rate} %"


def _difference(detail: Mapping[str, Any]) -> _Facts:
    """The totals where they differ, else the goods: first by quantity and price, then by tax."""
    expected, found = detail["expected"], detail["found"]
    if expected["total"] != found["total"]:
        yield from (("expected", expected["total"]), ("found", found["total"]))
        return
    for members in (("code", "quantity", "price"), (*expected["lines"][0],)):
        ours, theirs = (
            {tuple(str(line[name]) for name in members) for line in each["lines"]}
            for each in (expected, found)
        )
        if ours != theirs:
            yield "codes", _listed(sorted(line[0] for line in ours ^ theirs))
            return


def _too_much(detail: Mapping[str, Any]) -> _Facts:
    """The first code of which more is returned than was sold; else the totals do."""
    for code in detail.get("codes", ())[:1]:
        yield from code.items()


def _listed(codes: list[str]) -> str:
    """Each once."""
    named = list(dict.fromkeys(codes))
    return ", ".join(named[:_NAMED]) + (", …" if len(named) > _NAMED else "")


_OF_CODE = {
    Code.INVALID_MESSAGE: _place,
    Code.CONFIGURATION_INVALID: _places,
    Code.SHIFT_NOT_OPEN: _opening,
    Code.WRONG_REGISTER: _registers,
    Code.TOTALS_MISMATCH: _sums,
    Code.TAX_RATE_NOT_MAPPED: _rates,
    Code.TAX_RATE_MISMATCH: _misfit,
    Code.RECEIPT_MISMATCH: _difference,
    Code.RETURN_WITHOUT_SALE: _too_much,
}
