"""What an unsuccessful answer of Checkbox means, by the table of ``rules``.

Every call ends in a sure yes, a sure no, or "don't know":

    don't know   Unavailable             no answer, 3xx, 5xx, 429, or what is not Checkbox's own JSON
    sure no      ReceiptExists, ShiftNotOpened, ShiftExpired, CashierHasShift, TokenRefused
                                         the core knows how to go on
                 Rejected                the end of this request
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from worker.checkbox.endpoints import Endpoint
from worker.checkbox.envelope import NO_RECEIPT, Envelope, read_envelope, retry_after
from worker.checkbox.rules import REFUSALS, RULES
from worker.fiscal.outcomes import Unavailable
from worker.fiscal.privacy import scrub
from worker.fiscal.reasons import Reason
from worker.telemetry.metrics import UNKNOWN_ANSWERS

#: 4xx that say "not now" and nothing of the request itself.
_NOT_NOW = frozenset({407, 408, 425, 429})


def classify(
    endpoint: Endpoint,
    status: int,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    now: float,
    private: Iterable[str] = (),
) -> Exception:
    """The outcome of an unsuccessful answer, ready to be raised.

    ``now`` (seconds since the epoch) dates a Retry-After given as a date; ``private`` are the exact values
    that must be cut out of Checkbox's words. ``body`` is None where it could not be read to its end.
    """
    envelope = read_envelope(body)
    detail = _detail(endpoint, status, envelope, tuple(private))
    wait = retry_after(headers, now)
    if status not in REFUSALS or status in _NOT_NOW or envelope is None:
        return Unavailable(detail | {"reason": _strange(status)}, wait)
    rule = next(rule for rule in RULES if rule.fits(endpoint, status, envelope))
    if rule.unknown:
        UNKNOWN_ANSWERS.labels(str(status)).inc()
    return rule.outcome(detail)


def is_sure_none(status: int, body: bytes | None) -> bool:
    """Whether this answer to GET /receipts/{id} says that there is no such receipt.

    Seen: 404 with a message of the receipts' archive and no code. ASSUMED: a code and plain words for it. Any
    other 404, also one of Checkbox's own, says nothing of the receipt.
    """
    envelope = read_envelope(body) if status == 404 else None
    return envelope is not None and (
        NO_RECEIPT in envelope.message
        or envelope.code == "receipt.not_found"
        or envelope.message.casefold().startswith("чек не знайдено")
    )


def is_sure_no_chain(status: int, body: bytes | None) -> bool:
    """Whether this answer to GET /prepayment-receipts/{relation_id} says that there is no such chain.

    ASSUMED: a 404 in Checkbox's own JSON, whatever its words; none was ever seen.
    """
    return status == 404 and read_envelope(body) is not None


def _strange(status: int) -> str:
    if status in _NOT_NOW:
        return Reason.THROTTLED
    if status < 300:
        return "unreadable_answer"
    if status < 400:
        return "redirect"
    return "server_error" if status >= 500 else "not_checkbox"


def _detail(
    endpoint: Endpoint, status: int, envelope: Envelope | None, private: tuple[str, ...]
) -> dict[str, Any]:
    detail: dict[str, Any] = {"endpoint": endpoint.template, "status": status}
    if envelope is None:
        return detail
    if envelope.code:
        detail["code"] = scrub(envelope.code, private)
    if envelope.message:
        detail["message"] = scrub(envelope.message, private)
    if envelope.errors:
        detail["errors"] = [
            {"path": scrub(path, private), "problem": scrub(problem, private)}
            for path, problem in envelope.errors
        ]
    return detail
