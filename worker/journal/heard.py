"""What a message says, as rows of the journal: no buyer, no card, no goods, no sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Table

from worker.fiscal.context import request_key
from worker.fiscal.order import Operation, Payment, PaymentForm, Request
from worker.fiscal.payment_means import day_of_the_list
from worker.fiscal.payments import receipt_payment
from worker.fiscal.privacy import scrub
from worker.fiscal.typed_names import as_typed
from worker.journal.action import Reported
from worker.journal.tables import ACTIONS, OUTCOMES, RECEIPTS, RECONCILIATIONS, REQUESTS
from worker.rabbit.message.reading import InvalidMessage, RequestIdentity, read

_EVENTS = "ua.bimp.fiscalization."
_RECONCILED = "ua.bimp.shift.reconciled.v1"
_SHIFTS = UUID("0b8c6f0e-4d0e-5b5e-9a53-6f3c1d2e7a41")
_COMPANIES = "/companies/"


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written; one that is there already stays as it is."""

    table: Table
    values: Mapping[str, Any]


def rows_of_request(body: bytes, heard_at: int) -> list[Row]:
    """The request of a message from ``bimp.orders``; none where it has no id."""
    try:
        request: Request | None = read(body)
    except InvalidMessage as broken:
        request, known = None, broken.known
    else:
        assert request is not None
        known = RequestIdentity.of(request)
    if known.request_id is None:
        return []
    key = request_key(known.source, known.request_id)
    values = {
        "key": key,
        "heard_at": heard_at,
        "subject": known.order or key,
        "order_uuid": known.order,
        "doc_number": storable(known.doc_number),
        "doc_search": searched(known.doc_number) if known.doc_number else None,
        "source": storable(known.source),
        "request_id": storable(known.request_id),
        "id_search": searched(known.request_id),
        "company": storable(_company(known.source)),
        "integration": known.integration,
        "cashier": known.cashier,
        "operation": known.operation,
    }
    return [Row(REQUESTS, values | (_content(request, heard_at) if request is not None else _NO_CONTENT))]


def rows_of_action(body: bytes, heard_at: int) -> list[Row]:
    """What a person did. Raises ``LookupError``, ``TypeError`` and ``ValueError`` for what is none."""
    done = Reported.of(body)
    words = {
        name: storable(value) if isinstance(value, str) else value
        for name, value in asdict(done.action).items()
    }
    return [Row(ACTIONS, {"id": done.id, "heard_at": heard_at, "done_at": milliseconds(done.time), **words})]


def rows_of_event(body: bytes, heard_at: int) -> list[Row]:
    """An outcome from ``bimp.fiscal`` with its receipts, or a shift that was reconciled; none for all else.

    The worker wrote it, so what is missing in it is a fault: raises ``LookupError``, ``TypeError`` and
    ``ValueError``.
    """
    event = json.loads(body)
    if event["type"] == _RECONCILED:
        return [_reconciled(event, heard_at)]
    if not event["type"].startswith(_EVENTS):
        return []
    data = event["data"]
    key = request_key(data["requestSource"], data["requestId"])
    order = data["order"]["uuid"]
    subject = UUID(order) if order else key
    outcome = event["type"].split(".")[-2]
    receipts = list(_receipts(data))
    values = {
        "id": UUID(event["id"]),
        "heard_at": heard_at,
        "told_at": milliseconds(event["time"]),
        "request": key,
        "subject": subject,
        "outcome": outcome,
        "code": data.get("code"),
        "detail": storable(json.dumps(data["detail"], ensure_ascii=False)) if data.get("detail") else None,
        "attempts": data["attempts"],
        "already": data.get("alreadyFiscalized"),
        "dead_lettered": data.get("deadLettered"),
        "receipt_made": data.get("receiptMade"),
        "next_attempt_at": milliseconds(data["nextAttemptAt"]) if data.get("nextAttemptAt") else None,
        "receipts": json.dumps([str(one["id"]) for one in receipts]) if receipts else None,
    }
    common = {"heard_at": heard_at, "request": key, "subject": subject}
    return [Row(OUTCOMES, values), *(Row(RECEIPTS, common | one) for one in receipts)]


def _content(request: Request, heard_at: int) -> dict[str, Any]:
    sale = request.return_of
    day = day_of_the_list(request.time, heard_at / 1000)
    payments = [replace(one, label=_kept_label(one, day)) for one in request.payments]
    return {
        "asked_at": round(request.time.timestamp() * 1000) if request.time else None,
        "payment_uuid": request.payment_uuid,
        "return_of_order": sale.order_uuid if sale else None,
        "return_of_receipt": sale.receipt_id if sale else None,
        "return_of_relation": sale.relation_id if sale else None,
        "total": request.order.total,
        "payments": json.dumps(
            [[one.form.value, one.label, one.amount] for one in payments], ensure_ascii=False
        ),
        # What a chain's return gives back is its receipts', each by the means of its own.
        "means": None
        if request.operation is Operation.PREPAYMENT_RETURN
        else _means(payments, request.order.total),
    }


def _kept_label(payment: Payment, day: date) -> str | None:
    """As the receipt prints it: any other text may be a person's, and so may what follows a known one."""
    return payment.label and scrub(receipt_payment(payment, day)[0].label)


_NO_CONTENT = dict.fromkeys(
    (
        "asked_at",
        "payment_uuid",
        "return_of_order",
        "return_of_receipt",
        "return_of_relation",
        "total",
        "payments",
        "means",
    )
)


def _means(payments: Sequence[Payment], total: int) -> str:
    """The payments without the change, and without the rounding of cash: they come to the receipt's total."""
    if len(payments) == 1:
        return json.dumps([[payments[0].form.value, payments[0].label]], ensure_ascii=False)
    beyond = max(0, sum(one.amount for one in payments) - total)
    taken = []
    for one in reversed(payments):
        off = min(beyond, one.amount) if one.form is PaymentForm.CASH else 0
        beyond -= off
        taken.append([one.form.value, one.label, one.amount - off])
    return json.dumps(taken[::-1], ensure_ascii=False)


def _reconciled(event: Mapping[str, Any], heard_at: int) -> Row:
    data = event["data"]
    values = {
        "key": uuid5(_SHIFTS, f"{data['integration']} {data['shift']['id']}"),
        "heard_at": heard_at,
        "compared_at": milliseconds(event["time"]),
        "closed_at": milliseconds(data["shift"]["closedAt"]),
        "ok": data["ok"],
        "report": storable(json.dumps(data, ensure_ascii=False)),
    }
    return Row(RECONCILIATIONS, values)


def _receipts(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    chain = data.get("prepayment") or {}
    for receipt in data.get("receipts") or filter(None, [data.get("receipt")]):
        yield {
            "id": UUID(receipt["id"]),
            "fiscal_at": milliseconds(receipt["fiscalDate"]),
            "already": data["alreadyFiscalized"],
            "integration": data["integration"],
            "cashier": data["cashier"],
            "operation": data["operation"],
            "doc_number": storable(data["order"]["docNumber"]),
            "fiscal_code": storable(receipt["fiscalCode"]),
            "fiscal_search": searched(receipt["fiscalCode"]),
            "total": int(receipt["total"].replace(".", "")),
            "means": None,
            "relation": chain.get("relationId"),
            "shift": receipt["shiftId"],
            "register": receipt["registerNumber"],
            "offline": receipt["offline"],
            "tax_url": storable(receipt["taxUrl"]),
            "link": storable(receipt["links"]["html"]),
        }


def searched(text: str) -> str:
    """As it is compared with what a person types: case and spaces do not count."""
    return storable(as_typed(text)) or ""


def storable(text: str | None) -> str | None:
    """Without what PostgreSQL refuses: the character 0, and halves of characters."""
    if text is None:
        return None
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


def milliseconds(instant: str) -> int:
    """Since the epoch, of a time by RFC 3339."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def _company(source: str | None) -> str | None:
    return source.removeprefix(_COMPANIES) if source and source.startswith(_COMPANIES) else None
