"""A receipt as Checkbox reports it, read so that it can be compared with what was requested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from worker.checkbox.answers import Document, Unreadable, child, decimal, integer, moment, text
from worker.fiscal.outcomes import IssuedLine, IssuedReceipt, IssuedTax
from worker.fiscal.privacy import scrub


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A receipt as the search shows it."""

    receipt: IssuedReceipt
    #: False for the short form, which has no context, no sale of a return, and no time.
    is_whole: bool
    #: Only the whole receipt says it for certain.
    may_be_return: bool
    #: Neither sale nor return: money that is put into the till or taken out.
    is_service: bool = False


def read_result(document: Any, private: Iterable[str] = ()) -> SearchResult:
    """Raises ``Unreadable`` where there is no id or no status."""
    receipt = read_receipt(document, private)
    is_whole = "related_receipt_id" in document and "context" in document
    kind = text(document, "type")
    is_service = kind not in (None, "SELL", "RETURN")
    return SearchResult(receipt, is_whole, receipt.is_return or kind is None, is_service)


def read_receipt(document: Any, private: Iterable[str] = ()) -> IssuedReceipt:
    """Raises ``Unreadable`` where there is no id or no status.

    ``private``, the buyer and the card are kept out of the reason of an ERROR.
    """
    receipt_id = text(document, "id") if isinstance(document, dict) else None
    status = text(document, "status") if receipt_id else None
    if receipt_id is None or status is None:
        raise Unreadable("no receipt")
    goods = _objects(document, "goods")
    lines = [_line(good) for good in goods]
    shift = child(document, "shift")
    tax_url = text(document, "tax_url")
    related = text(document, "related_receipt_id")
    return IssuedReceipt(
        id=receipt_id.lower(),
        status=status,
        fiscal_code=text(document, "fiscal_code"),
        fiscal_date=_rfc3339(document.get("fiscal_date")),
        total=_total(document, lines),
        # A line that cannot be read makes the lines unknown, and not other ones.
        lines=tuple(line for line in lines if line) if all(lines) else (),
        offline=document.get("is_created_offline") is True,
        tax_url=tax_url,
        register_number=text(child(shift, "cash_register"), "fiscal_number") or _register_in(tax_url),
        shift_id=text(document, "shift_id") or text(shift, "id"),
        context=child(document, "context"),
        error=_error(document, status, private),
        seconds_to_number=_seconds_to_number(document),
        related_receipt_id=related.lower() if related else None,
        is_return=_is_return(document, goods),
        created_at=_rfc3339(document.get("created_at")),
        relation_id=text(document, "pre_payment_relation_id"),
    )


def read_this(receipt_id: UUID, document: Any, private: Iterable[str] = ()) -> IssuedReceipt:
    """An answer that speaks of another receipt says nothing of this one: ``Unreadable``."""
    issued = read_receipt(document, private)
    if issued.id != str(receipt_id):
        raise Unreadable("another receipt")
    return issued


def _line(good: Document) -> IssuedLine | None:
    details = child(good, "good")
    code, price = details.get("code"), integer(details.get("price"))
    quantity = integer(good.get("quantity"))
    if not isinstance(code, str | int) or quantity is None or price is None:
        return None
    return IssuedLine(
        code=str(code),
        quantity=quantity,
        price=price,
        taxes=_taxes(good),
        total=_line_total(good, price * quantity),
        name=text(details, "name") or "",
    )


def _taxes(good: Document) -> tuple[IssuedTax, ...] | None:
    if not isinstance(good.get("taxes"), list):
        return None
    taxes = [(integer(tax.get("code")), decimal(tax.get("rate"))) for tax in _objects(good, "taxes")]
    shown = tuple(IssuedTax(code, percent) for code, percent in taxes if code is not None)
    return shown if len(shown) == len(taxes) else None


def _line_total(good: Document, thousandfold: int) -> int | None:
    """After the line's own discounts.

    ASSUMED: whether ``sum`` is before or after them was never seen, so it leads only where there are none,
    or where the quantity leaves a fraction that Checkbox has rounded in its own way.
    """
    shown, discounts = integer(good.get("sum")), _objects(good, "discounts")
    if shown is not None and not discounts:
        return shown
    if thousandfold % 1000:
        return None
    return thousandfold // 1000 + _adjustment(discounts)


def _adjustment(discounts: list[Document]) -> int:
    """What discounts and surcharges come to; the sign of ``sum`` in answers was never seen and is ignored."""
    total = 0
    for discount in discounts:
        amount = integer(discount.get("sum"))
        if amount is None and text(discount, "mode") == "VALUE":
            amount = integer(discount.get("value"))
        amount = abs(amount or 0)
        total += amount if text(discount, "type") == "EXTRA_CHARGE" else -amount
    return total


def _total(document: Document, lines: list[IssuedLine | None]) -> int:
    """To pay, before cash is rounded.

    ASSUMED: ``total_sum`` is that. Where Checkbox has rounded (``round_sum`` is not 0) and the goods come to
    the sum on the other side of the rounding, the goods lead.
    """
    stated = integer(document.get("total_sum"))
    if stated is None:
        stated = integer(document.get("sum"))
    computed = _computed(document, lines)
    if stated is None:
        return computed or 0
    rounding = integer(document.get("round_sum")) or 0
    return computed if computed is not None and computed in (stated - rounding, stated + rounding) else stated


def _computed(document: Document, lines: list[IssuedLine | None]) -> int | None:
    totals = [line.total if line else None for line in lines]
    if not totals or None in totals:
        return None
    return sum(total for total in totals if total is not None) + _adjustment(_objects(document, "discounts"))


def _error(document: Document, status: str, private: Iterable[str]) -> str | None:
    """The tax service's reason for refusing it, from the transaction."""
    if status != "ERROR":
        return None
    transaction = child(document, "transaction")
    words = text(transaction, "response_error_message") or text(transaction, "response_status")
    return scrub(words, (*private, *_private_values(document))) if words else None


def _private_values(document: Document) -> Iterator[str]:
    delivery = child(document, "delivery")
    emails = delivery.get("emails")
    values = [delivery.get("email"), delivery.get("phone"), *(emails if isinstance(emails, list) else [])]
    for payment in _objects(document, "payments"):
        values += [payment.get("card_mask"), payment.get("rrn"), payment.get("auth_code")]
    yield from (value for value in values if isinstance(value, str))


def _seconds_to_number(document: Document) -> float | None:
    """None for an offline receipt: it has its number at once, and its transaction ends much later."""
    if not text(document, "fiscal_code") or document.get("is_created_offline") is True:
        return None
    created = moment(document.get("created_at"))
    done = moment(child(document, "transaction").get("updated_at"))
    if created is None or done is None or done < created:
        return None
    return (done - created).total_seconds()


def _is_return(document: Document, goods: list[Document]) -> bool:
    kind = text(document, "type")
    return kind == "RETURN" if kind else bool(goods) and all(good.get("is_return") is True for good in goods)


def _register_in(tax_url: str | None) -> str | None:
    """The tax service's link names the register, mostly, as ``fn``."""
    if not tax_url:
        return None
    try:
        numbers = parse_qs(urlsplit(tax_url).query).get("fn")
    except ValueError:
        return None
    return numbers[0] if numbers else None


def _rfc3339(value: Any) -> str | None:
    at = moment(value)
    try:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
    except OverflowError:  # it is before the year 1 in UTC
        return None


def _objects(document: Document, key: str) -> list[Document]:
    value = document.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
