"""What message and configuration alone decide, without a broker and without Checkbox."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from worker.fiscal import sentences
from worker.fiscal.configured import Integrations
from worker.fiscal.fiscalization import decide_alone
from worker.fiscal.integrations import CashRounding, Environment, Integration, ShiftPolicy
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.tax_rates import TaxRates
from worker.rabbit.message.json_body import NotJsonError, parse
from worker.rabbit.message.models import MEMBERS
from worker.rabbit.message.problems import MISSING, pointer
from worker.rabbit.message.reading import InvalidMessage, read

#: How much alike two names are that may be one, from 0 to 1.
_LIKENESS = 0.75
#: Stands in for the one that is not known; nothing of it but the rounding is looked at.
_ANY_INTEGRATION = Integration(
    id="",
    name="",
    company=None,
    environment=Environment.LIVE,
    prepayments=True,
    checkbox_url="",
    cash_rounding=CashRounding.NONE,
    shifts=ShiftPolicy.MANUAL,
    rollover_after=timedelta(),
    cashiers={},
    tax_rates=TaxRates({}, not_accountable=None),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a message; ``path`` is a JSON pointer, None where the code speaks of the whole."""

    code: Code
    path: str | None
    problem: str
    #: The member that most likely was meant, as a pointer.
    did_you_mean: str | None = None


def findings(body: bytes, integrations: Integrations | None) -> list[Finding]:
    """The problems of a message, or none; without integrations those that the message alone decides."""
    try:
        request = read(body)
    except InvalidMessage as invalid:
        value = _parsed(body)
        return [
            Finding(invalid.code, error["path"], _explained(error), _meant(value, error))
            for error in invalid.errors
        ]
    try:
        if integrations is None:
            _decide_by_message(request)
        else:
            decide_alone(request, integrations, time.time())
    except Rejected as rejected:
        return list(_of_verdict(rejected, request.operation))
    return []


def _decide_by_message(request: Request) -> None:
    """The verdicts of which no integration has a say. Raises ``Rejected``.

    Whether cash is rounded is not known: sums that add up in any of the ways are no mistake.
    """
    refusals = [refusal for rounding in CashRounding if (refusal := _refusal(request, rounding))]
    if len(refusals) == len(CashRounding):
        raise refusals[0]
    if request.order.archived:
        raise Rejected(Code.ORDER_ARCHIVED)


def _refusal(request: Request, rounding: CashRounding) -> Rejected | None:
    try:
        plan(request, replace(_ANY_INTEGRATION, cash_rounding=rounding), time.time(), lambda _: ())
    except Rejected as refusal:
        return refusal
    return None


def _of_verdict(rejected: Rejected, operation: Operation) -> Iterator[Finding]:
    for problem in rejected.detail.get("problems", ()):
        yield Finding(rejected.code, problem["path"], problem["problem"])
    if not rejected.detail.get("problems"):
        sentence = sentences.failed(rejected.code, operation, rejected.detail, receipt_made=None)
        yield Finding(rejected.code, None, sentence["en"])


def _explained(error: Mapping[str, str]) -> str:
    """Without an id there is a dead letter and no event: Bimp would wait for an answer in vain."""
    if error["path"] != "/id":
        return error["problem"]
    return f"{error['problem']}; no event answers a message without an id of 1 to 128 characters"


def _parsed(body: bytes) -> Any:
    try:
        return parse(body).value
    except NotJsonError:
        return None


def _meant(value: Any, error: Mapping[str, str]) -> str | None:
    """Of a missing member: the one beside it that is named almost so, and means nothing by itself."""
    if error["problem"] != MISSING:
        return None
    parent, _, missing = error["path"].rpartition("/")
    beside = _at(value, parent)
    unknown = (
        {_plain(name): name for name in beside if name not in MEMBERS} if isinstance(beside, dict) else {}
    )
    close = difflib.get_close_matches(_plain(missing), unknown, n=1, cutoff=_LIKENESS)
    return f"{parent}{pointer((unknown[close[0]],))}" if close else None


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _at(value: Any, path: str) -> Any:
    """The value under a pointer; a problem was found there, so that all above it is there."""
    for step in path.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value
