"""What happened to an order, in the order of time: what was asked, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, or_, select

from worker.fiscal.money import hryvnias
from worker.journal.found_order import Entry, FoundOrder, shown_time
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS


def found_orders(connection: Connection, subjects: Sequence[UUID]) -> list[FoundOrder]:
    """Each with what happened to itself, and to the documents that return it: three queries for all."""
    c = REQUESTS.c
    requests = _rows(connection, REQUESTS, or_(c.subject.in_(subjects), c.return_of_order.in_(subjects)))
    every = {*subjects, *(row["subject"] for row in requests)}
    outcomes = _rows(connection, OUTCOMES, OUTCOMES.c.subject.in_(every))
    receipts = _rows(connection, RECEIPTS, RECEIPTS.c.subject.in_(every))
    return [_found(subject, requests, outcomes, receipts) for subject in subjects]


def _found(
    subject: UUID,
    requests: Sequence[RowMapping],
    outcomes: Sequence[RowMapping],
    receipts: Sequence[RowMapping],
) -> FoundOrder:
    asked = [row for row in requests if subject in (row["subject"], row["return_of_order"])]
    subjects = {subject, *(row["subject"] for row in asked)}
    published = [row for row in outcomes if row["subject"] in subjects]
    # A receipt names it where its requests were not heard.
    own = [row for row in asked if row["subject"] == subject] or [
        row for row in receipts if row["subject"] == subject
    ]
    latest: dict[str, Any] = dict(max(own, key=lambda row: int(row["heard_at"]), default={}))
    return FoundOrder(
        order=subject if latest.get("order_uuid", subject) else None,
        doc_number=latest.get("doc_number"),
        integration=latest.get("integration"),
        cashier=latest.get("cashier"),
        heard_at=max(int(row["heard_at"]) for row in own or published),
        history=_history(asked, published, {row["id"]: row for row in receipts}),
    )


def _history(
    requests: Sequence[RowMapping], outcomes: Sequence[RowMapping], receipts: Mapping[UUID, RowMapping]
) -> Sequence[Entry]:
    asked_by = {row["key"]: row for row in requests}
    timed = [(_asked_at(row, outcomes), 0, _asked(row)) for row in requests]
    timed += [(row["told_at"], 1, _outcome(row, receipts, asked_by.get(row["request"]))) for row in outcomes]
    timed.sort(key=lambda one: one[:2])
    return [{"time": shown_time(at), **entry} for at, _, entry in timed]


def _rows(connection: Connection, table: Any, condition: Any) -> Sequence[RowMapping]:
    return connection.execute(select(table).where(condition)).mappings().all()


def _asked_at(request: RowMapping, outcomes: Iterable[RowMapping]) -> int:
    """Not later than what came of it: the journal may have heard of both long afterwards."""
    published = [row["told_at"] for row in outcomes if row["request"] == request["key"]]
    return int(min(request["asked_at"] or request["heard_at"], request["heard_at"], *published))


def _asked(row: RowMapping) -> dict[str, Any]:
    payments = json.loads(row["payments"]) if row["payments"] else []
    return {
        "what": "asked",
        "requestId": row["request_id"],
        "requestSource": row["source"],
        "order": str(row["order_uuid"]) if row["order_uuid"] else None,
        "docNumber": row["doc_number"],
        "integration": row["integration"],
        "cashier": row["cashier"],
        "operation": row["operation"],
        "paymentUuid": _text(row["payment_uuid"]),
        "returnOf": _return_of(row),
        "total": _sum(row["total"]),
        "payments": [
            {"form": form, "label": label, "amount": _sum(amount)} for form, label, amount in payments
        ],
    }


def _outcome(
    row: RowMapping, receipts: Mapping[UUID, RowMapping], asked: RowMapping | None
) -> dict[str, Any]:
    ids = [UUID(one) for one in json.loads(row["receipts"] or "[]")]
    has_order = row["subject"] != row["request"]
    entry = {
        "what": row["outcome"],
        "requestId": asked["request_id"] if asked else None,
        "order": str(row["subject"]) if has_order else None,
        "docNumber": asked["doc_number"] if asked else None,
        "attempts": row["attempts"],
        "code": row["code"],
        "detail": json.loads(row["detail"]) if row["detail"] else None,
        "alreadyFiscalized": row["already"],
        "deadLettered": row["dead_lettered"],
        "receiptMade": row["receipt_made"],
        "nextAttemptAt": shown_time(row["next_attempt_at"]) if row["next_attempt_at"] else None,
        "receipts": [_receipt(receipts[one]) for one in ids if one in receipts] or None,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _receipt(row: RowMapping) -> dict[str, Any]:
    of_chain = {"relationId": row["relation"]} if row["relation"] else {}
    return {
        **of_chain,
        "id": str(row["id"]),
        "fiscalCode": row["fiscal_code"],
        "fiscalDate": shown_time(row["fiscal_at"]),
        "total": _sum(row["total"]),
        "offline": row["offline"],
        "registerNumber": row["register"],
        "shiftId": row["shift"],
        "taxUrl": row["tax_url"],
        "link": row["link"],
    }


def _return_of(row: RowMapping) -> dict[str, str] | None:
    named = {
        "orderUuid": _text(row["return_of_order"]),
        "receiptId": _text(row["return_of_receipt"]),
        "relationId": row["return_of_relation"],
    }
    return {name: value for name, value in named.items() if value} or None


def _sum(kopiykas: int | None) -> str | None:
    return None if kopiykas is None else hryvnias(kopiykas)


def _text(uuid: UUID | None) -> str | None:
    return str(uuid) if uuid else None
