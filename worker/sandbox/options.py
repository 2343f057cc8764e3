"""The sandbox's timing, and its assumptions where Checkbox's behaviour is unknown.

Each ``ASSUMED A<n>`` is a guess about Checkbox that no capture confirms. Where two behaviours are plausible
the option switches between them, and the worker has to pass both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be set with ``--option name=value`` or over ``POST /sandbox/options``."""

    # Timing. Times in seconds. About 2 s were seen live for a receipt, an opening and a closing.
    done_after: float = 2.0
    open_after: float = 2.0
    close_after: float = 2.0
    #: Added to every answer.
    latency: float = 0.0
    #: Above ``rate`` receipts in a second the register's processing pauses; admission is never refused.
    throttle: bool = True
    rate: int = 2
    pause: float = 5.0

    # ASSUMED A1: the code was seen live, and the beginning of the message; the status was not.
    over_24h_status: int = 400
    over_24h_code: str | None = "shift.opened_too_long"
    #: ASSUMED: refusals around shifts may come in English; the words are guesses.
    language: Literal["uk", "en"] = "uk"
    #: ASSUMED: whether Checkbox closes a shift itself after 24 hours; one client saw it stay open for days.
    force_close_at_24h: bool = False
    # ASSUMED A2: the code of the first was reported once; that of the second is not known.
    cashier_has_shift_code: str | None = "base.bad_request"
    register_busy_code: str | None = None
    busy_status: int = 400
    #: ASSUMED: one client was told of a cashier's own open shift as of another's.
    own_shift: Literal["named", "busy"] = "named"
    # ASSUMED A3: only that an underpayment is rejected is known.
    underpayment_status: int = 400
    underpayment_code: str | None = None
    #: ASSUMED: the answer to a card payment above the total.
    card_overpayment: Literal["refuse", "accept"] = "refuse"
    # ASSUMED A4: how a fraction of a kopiyka is rounded, and whether before or after summing.
    rounding: Literal["half_up", "truncate", "half_even"] = "half_up"
    round_at: Literal["total", "line"] = "total"
    #: ASSUMED: whether ``sum`` of a line in an answer is before or after the line's own discounts.
    line_sum: Literal["before_discounts", "after_discounts"] = "before_discounts"
    #: ASSUMED: whether ``total_sum`` contains ``round_sum``.
    total_sum_is_rounded: bool = False
    # ASSUMED A7: the sign of a discount's ``sum``; negative was seen in add-external only.
    discount_sum: Literal["negative", "positive"] = "negative"
    # ASSUMED A8: receipts and transactions are counted per register (2020: transactions per shift, from 0).
    serials: Literal["register", "shift"] = "register"
    # ASSUMED A9: the answer to an unknown tax code.
    unknown_tax_status: Literal[400, 422] = 400
    # ASSUMED A10: closing while receipts are unfinished.
    close_with_unfinished: Literal["wait", "refuse"] = "wait"
    #: ASSUMED: which calls are refused with 402 if the organization is blocked for a debt.
    blocked_refuses: Literal["documents", "everything"] = "documents"
    #: ASSUMED: whether a shift that another client opened closes only with ``skip_client_name_check``.
    client_name_check: bool = False
    #: ASSUMED: when the search answers in the short form.
    search_form: Literal["full", "short"] = "full"
    #: ASSUMED: pages may be shorter than requested; ``meta.limit`` shows it.
    page_limit: int | None = None
    # ASSUMED A11: tokens do not expire; a lifetime in seconds, or None.
    token_lifetime: float | None = None
    #: ASSUMED: the document says JSON of any kind; checkbox-sdk, tested live, reads JSON.
    sign_out_body: Literal["null", "empty"] = "null"
    #: ASSUMED: checkbox-sdk, tested live, sees DONE while the register is offline by hand; a capture, later.
    offline_done: Literal["at_once", "after_upload"] = "at_once"
    #: ASSUMED: whether a webhook is sent for a receipt that ended in ERROR.
    webhook_on_error: bool = False
    #: The timeout of a webhook, the first and the longest pause before a retry, and when to give up.
    webhook_timeout: float = 10.0
    webhook_retry_first: float = 1.0
    webhook_retry_longest: float = 1800.0
    webhook_retry_for: float = 14_400.0
    # ASSUMED A12, prepayments: no refusal of theirs was ever seen.
    relation_exists_code: str | None = None
    #: ASSUMED: whether a repeat of a payment's id is answered as that of a sale is.
    repeated_payment: Literal["exists", "refused"] = "exists"
    #: ASSUMED: whether the relation shows its payments whole, or by id alone.
    relation_receipts: Literal["whole", "ids"] = "whole"
    #: ASSUMED: whether the money of a payment in ERROR counts as paid.
    refused_payment: Literal["dropped", "counted"] = "dropped"
    #: ASSUMED: the state of a chain with a return in ERROR; ``unchanged`` is as before the return.
    refused_return: Literal["PARTIAL_CANCELLED", "CANCELLED", "unchanged"] = "PARTIAL_CANCELLED"
    #: ASSUMED: whether the last payment's receipt has one line, or all goods less the advances.
    closing_lines: Literal["one", "goods"] = "one"
    #: ASSUMED: whether a known id or a closed shift is checked first.
    duplicate_before_shift: bool = True

    def with_changes(self, changes: Mapping[str, Any]) -> Options:
        """Raises ``ValueError`` for an unknown name or an invalid value."""
        hints = get_type_hints(type(self))
        known = {field.name for field in fields(self)}
        for name in changes:
            if name not in known:
                raise ValueError(f"no option {name}; there are {', '.join(sorted(known))}")
        return replace(self, **{name: _fitting(name, hints[name], value) for name, value in changes.items()})


def read_option(text: str) -> tuple[str, str]:
    """``name=value`` of the command line."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"an option is written name=value, not {text!r}")
    return name.strip(), value.strip()


def _fitting(name: str, hint: Any, value: Any) -> Any:
    if get_origin(hint) is Literal:
        for choice in get_args(hint):
            if str(choice) == str(value):
                return choice
        raise ValueError(f"{name} is one of {', '.join(map(str, get_args(hint)))}, not {value!r}")
    if type(None) in get_args(hint):
        if value is None or value in ("null", "none", ""):
            return None
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if hint is bool:
        return _boolean(name, value)
    try:
        return hint(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not a {hint.__name__}: {value!r}") from None


def _boolean(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError(f"{name} is true or false, not {value!r}")
    return text in ("true", "1", "yes")
