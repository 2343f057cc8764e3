"""A prepayment chain as Checkbox shows it. Only a whole relation is one: anything less is "don't know"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from worker.checkbox.answers import Document, Unreadable, child, integer, text
from worker.checkbox.receipt_answers import read_receipt
from worker.fiscal.outcomes import IssuedReceipt, Relation

_PARTIAL_PAID = "PARTIAL_PAID"


def read_relation(document: Any, relation_id: str, private: Iterable[str] = ()) -> Relation:
    """GET /prepayment-receipts/{relation_id}. Raises ``Unreadable`` where anything that counts is missing."""
    if not isinstance(document, dict) or text(document, "relation_id") != relation_id:
        raise Unreadable("no relation, or another one")
    status = text(document, "pre_payment_status")
    total, paid = integer(document.get("total_sum")), integer(document.get("paid_sum"))
    left = _left(document, status)
    if status is None or total is None or paid is None or left is None:
        raise Unreadable("a relation without its status or sums")
    chain = child(document, "receipt_chain")
    closing = _id(chain["after_payment_receipt"]) if chain.get("after_payment_receipt") else None
    advances = _ids(chain.get("pre_payment_receipts"))
    if not advances:
        raise Unreadable("a relation without receipts")
    mapping = child(chain, "returned_receipts_mapping")
    returned_by = {_id(payment): _id(back) for payment, back in mapping.items() if back}
    returns = dict.fromkeys((*_ids(chain.get("returned_receipts") or []), *returned_by.values()))
    return Relation(
        id=relation_id,
        status=status,
        total=total,
        paid=paid,
        left=left,
        payments=(*advances, closing) if closing and closing not in advances else tuple(advances),
        closing=closing,
        returns=tuple(returns),
        returned_by=returned_by,
        shown=_shown(document, tuple(private)),
    )


def _left(document: Document, status: str | None) -> int | None:
    """Left out it is 0, by the vendor's document; of a chain that is not paid that cannot be.

    ASSUMED: it may be below 0 where cash was rounded up.
    """
    stated = document.get("left_to_pay")
    if stated is None:
        return None if status == _PARTIAL_PAID else 0
    left = integer(stated)
    return None if left is None else max(left, 0)


def _ids(listed: Any) -> list[str]:
    if not isinstance(listed, list):
        raise Unreadable("a relation without its receipts")
    return [_id(one) for one in listed]


def _id(named: Any) -> str:
    """A receipt's id, or that of a receipt that is shown whole."""
    text = named.get("id") if isinstance(named, dict) else named
    try:
        return str(UUID(text))
    except (TypeError, ValueError, AttributeError):
        raise Unreadable("a relation with a receipt that has no id") from None


def _shown(document: Document, private: tuple[str, ...]) -> Mapping[str, IssuedReceipt]:
    """The payments that come whole; the others are read by id."""
    chain = child(document, "receipts_chain")
    advances = chain.get("pre_payment_receipts")
    whole = [*(advances if isinstance(advances, list) else []), chain.get("after_payment_receipt")]
    shown = {}
    for one in whole:
        if isinstance(one, dict) and "context" in one and "fiscal_code" in one:
            receipt = read_receipt(one, private)
            shown[receipt.id] = receipt
    return shown


def read_returned(document: Any) -> None:
    """POST /prepayment-receipts/{relation_id}/return: an array of receipts."""
    if not isinstance(document, list) or not document:
        raise Unreadable("no array of receipts")
    for one in document:
        read_receipt(one)
