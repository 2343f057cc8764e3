"""From the bytes of a message to the request, or to what is wrong with them.

A message that breaks a rule is answered all the same, so whatever it still says of itself is read:
``RequestIdentity``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from worker.fiscal.money import SUM_LIMIT
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, Rejected
from worker.rabbit.message.json_body import BODY_LIMIT, NotJsonError, Path, parse
from worker.rabbit.message.kinds import ID_PATTERN, UUID_PATTERN, printable
from worker.rabbit.message.mapping import to_request
from worker.rabbit.message.models import WireMessage
from worker.rabbit.message.problems import MISSING, Problem, problem_at, problems_of, repeated_members

ERROR_LIMIT = 100
_OPERATIONS = {operation.value: operation for operation in Operation}
_ID = re.compile(ID_PATTERN[1:-1])
_UUID = re.compile(UUID_PATTERN)
_REQUEST_ID_LIMIT = 128
_DOC_NUMBER_LIMIT = 64


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """Who asks, and for what, as far as a message says; unknown is None. An event needs the id."""

    request_id: str | None = None
    source: str | None = None
    order: UUID | None = None
    doc_number: str | None = None
    integration: str | None = None
    cashier: str | None = None
    operation: Operation | None = None

    @classmethod
    def of(cls, request: Request) -> RequestIdentity:
        """Everything of a message that could be read."""
        return cls(
            request_id=request.id,
            source=request.source,
            order=request.order.uuid,
            doc_number=request.order.doc_number,
            integration=request.integration,
            cashier=request.cashier,
            operation=request.operation,
        )


class InvalidMessage(Rejected):
    """The message breaks the contract. ``errors`` name the places, and repeat nothing personal."""

    def __init__(self, errors: Sequence[Problem], known: RequestIdentity) -> None:
        super().__init__(Code.INVALID_MESSAGE, {"errors": list(errors[:ERROR_LIMIT])})
        self.errors = self.detail["errors"]
        self.known = known


def read(body: bytes) -> Request:
    """The request in a message's body. Raises ``InvalidMessage``."""
    if len(body) > BODY_LIMIT:
        raise InvalidMessage([problem_at((), "is larger than 1 MiB")], RequestIdentity())
    try:
        parsed = parse(body)
    except NotJsonError as error:
        raise InvalidMessage([problem_at((), str(error))], RequestIdentity()) from None
    if parsed.too_deep:
        raise InvalidMessage([problem_at((), "is nested too deeply")], _identity(parsed.value))
    errors = repeated_members(parsed.value) if parsed.has_doubled else []
    errors += _missing(parsed.value)
    try:
        message = WireMessage.model_validate(parsed.value)
    except ValidationError as error:
        broken = islice(problems_of(error, parsed.value), ERROR_LIMIT)
        raise InvalidMessage(_each_once([*errors, *broken]), _identity(parsed.value)) from None
    errors += (problem_at(path, problem) for path, problem in _contradictions(message))
    if errors:
        raise InvalidMessage(_each_once(errors), _identity(parsed.value))
    return to_request(message)


def _each_once(errors: Sequence[Problem]) -> list[Problem]:
    """The first problem of each place: a member that came twice is not missing as well."""
    return list({error["path"]: error for error in reversed(errors)}.values())[::-1]


def identify(body: bytes) -> RequestIdentity:
    """As much as a message says of itself, valid or not."""
    try:
        return _identity(parse(body).value) if len(body) <= BODY_LIMIT else RequestIdentity()
    except NotJsonError:
        return RequestIdentity()


def _identity(value: Any) -> RequestIdentity:
    data = _member(value, "data")
    order = _member(data, "order")
    uuids = (_matching(_member(order, "uuid"), _UUID), _matching(_member(value, "subject"), _UUID))
    uuid = next((found for found in uuids if found), None)
    return RequestIdentity(
        request_id=_text(_member(value, "id"), _REQUEST_ID_LIMIT),
        source=_text(_member(value, "source"), BODY_LIMIT),
        order=UUID(uuid) if uuid else None,
        doc_number=_doc_number(_member(order, "docNumber")),
        integration=_matching(_member(data, "integration"), _ID),
        cashier=_matching(_member(data, "cashier"), _ID),
        operation=_operation(data),
    )


def _operation(data: Any) -> Operation | None:
    if not isinstance(data, dict) or "operation" in getattr(data, "names", ()):
        return None
    named = data.get("operation")
    if named is None:
        return Operation.SELL
    return _OPERATIONS.get(named) if isinstance(named, str) else None


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any, longest: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def _doc_number(value: Any) -> str | None:
    text = printable(_text(value, _DOC_NUMBER_LIMIT) or "")
    return text if text and not text.isspace() else None


def _matching(value: Any, pattern: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _missing(value: Any) -> Iterator[Problem]:
    """What this operation needs."""
    data = _member(value, "data")
    if not isinstance(data, dict):
        return
    operation = _operation(data)
    if operation is not None and operation.is_return and data.get("returnOf") is None:
        yield problem_at(("data", "returnOf"), "is missing: a return names its sale")
    if operation in (Operation.PREPAYMENT, Operation.AFTERPAYMENT) and data.get("paymentUuid") is None:
        yield problem_at(("data", "paymentUuid"), "is missing: a payment has an identity")
    if operation is not Operation.PREPAYMENT_RETURN and data.get("payments") is None:
        yield problem_at(("data", "payments"), MISSING)


def _contradictions(message: WireMessage) -> Iterator[tuple[Path, str]]:
    """Rules that bind several members together."""
    data = message.data
    if message.subject is not None and message.subject != data.order.uuid:
        yield ("subject",), "must be the order's uuid"
    if data.return_of and (data.return_of.order_uuid is None) == (data.return_of.receipt_id is None):
        yield ("data", "returnOf"), "must have either orderUuid or receiptId"
    if data.return_of and data.return_of.order_uuid == data.order.uuid:
        yield ("data", "returnOf", "orderUuid"), "must be the sale's: a return is a document of its own"
    if data.operation == "PREPAYMENT_RETURN" and data.return_of and data.return_of.order_uuid is None:
        yield ("data", "returnOf", "orderUuid"), "is missing: a chain is named by its order"
    for index, line in enumerate(data.order.products):
        if line.amount + (line.discount or 0) >= SUM_LIMIT:
            yield ("data", "order", "products", index), "amount and discount must be under 1,000,000,000"
