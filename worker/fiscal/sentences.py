"""What the person who pressed the button reads: what happened, and what to do.

Where a receipt was made, the sentence says so, and never that nothing was sold. It names the facts that help
its reader. They come from a verdict's detail, which holds nothing secret or personal: goods by code alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from worker.fiscal import sentence_texts as texts
from worker.fiscal.codes import CATALOGUE
from worker.fiscal.languages import Sentence, in_each
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code
from worker.fiscal.reasons import Reason
from worker.fiscal.sentence_facts import facts


class Outcome(StrEnum):
    """What an event reports; the values are the ends of its type and routing key."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DELAYED = "delayed"


def succeeded() -> Sentence:
    """Given by the contract."""
    return in_each(texts.SUCCEEDED)


def delayed(detail: Mapping[str, Any], receipt_made: bool) -> Sentence:
    """For a request that is rescheduled after a fault."""
    if receipt_made:
        return in_each(texts.DELAYED_WITH_RECEIPT)
    is_archive_check = detail.get("service") == Reason.ARCHIVE_CHECK
    return in_each(texts.DELAYED_BY_ARCHIVE_CHECK if is_archive_check else texts.DELAYED)


def failed(
    code: Code, operation: Operation | None, detail: Mapping[str, Any], receipt_made: bool | None
) -> Sentence:
    """For a verdict: that a receipt was made where one was, the sentence of the code, and the facts."""
    own = CATALOGUE[code].with_receipt if receipt_made else None
    if own is not None:
        return in_each(own)
    said = in_each(_of_code(code, operation, detail))
    known = {language: f" ({words})" for language, words in facts(code, detail).items()}
    # A mismatch is about a receipt, and says that there is one.
    is_said = not receipt_made or code is Code.RECEIPT_MISMATCH
    made = {} if is_said else in_each(_made(code, operation))
    return {language: made.get(language, "") + said[language] + known.get(language, "") for language in said}


def _made(code: Code, operation: Operation | None) -> str:
    if own := CATALOGUE[code].made:
        return own
    # A chain's return is worded as any other.
    is_return = operation is not None and operation.is_return
    return texts.RECEIPT_MADE[Operation.RETURN if is_return else None]


def _of_code(code: Code, operation: Operation | None, detail: Mapping[str, Any]) -> str:
    entry = CATALOGUE[code]
    cause = detail.get("service") or detail.get("reason")
    if code is Code.RECEIPT_MISMATCH and cause:
        return texts.RECEIPT_NOT_SHOWN
    particular = entry.causes.get(cause) if isinstance(cause, str) else None
    of_return = entry.of_return if operation and operation.is_return else None
    return particular or of_return or entry.sentence
