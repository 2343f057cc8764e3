"""What a person does next about an order that was not fiscalized: docs/runbook.md in a sentence a code."""

from __future__ import annotations

from collections.abc import Mapping

from worker.fiscal.outcomes import Code

NEXT_STEPS: Mapping[str, str] = {
    Code.INVALID_MESSAGE: "Have Bimp mend the message and send it again, then discard the letter.",
    Code.UNKNOWN_INTEGRATION: "Add it to FISCAL_INTEGRATIONS_FILE, or correct its company, then replay.",
    Code.UNKNOWN_CASHIER: "Add the cashier's row to the integration, then replay.",
    Code.CONFIGURATION_INVALID: "Mend the places that its detail names; `dead-letters watch` replays then.",
    Code.ORDER_ARCHIVED: "Nothing: Bimp asks again when somebody takes the order out of the archive.",
    Code.CURRENCY_NOT_SUPPORTED: "Have the order changed to UAH in Bimp, and the button pressed again.",
    Code.TOTALS_MISMATCH: "Have the order mended in Bimp and sent again, then discard the letter.",
    Code.TAX_RATE_NOT_MAPPED: "Ask the accountant for the rate's code, add it to tax_rates, then replay.",
    Code.TAX_RATE_MISMATCH: "Put the code that Checkbox has for the rate into tax_rates, then replay.",
    Code.CASHIER_CREDENTIALS_REJECTED: "Put the right secret where the configuration points, then replay.",
    Code.SUBSCRIPTION_ENDED: "Have the organization pay Checkbox, then replay.",
    Code.WRONG_REGISTER: "Have the shift at the other register closed, or the key corrected, then replay.",
    Code.SHIFT_NOT_OPEN: "Have the cashier's shift opened in Checkbox, then replay.",
    Code.SHIFT_OPEN_OVER_24H: "Have the shift closed and a new one opened in Checkbox, then replay.",
    Code.REGISTER_BUSY: "Have the other cashier's shift on that register closed, then replay.",
    Code.RECEIPT_MISMATCH: "Do not replay: the accountant compares order and receipt and decides.",
    Code.RECEIPT_RETURNED: "Nothing: Bimp asks again, with sellAgain, when the order is to be sold anew.",
    Code.PREPAYMENT_MISMATCH: "Compare detail.reason and the sums with the order, mend it, then replay.",
    Code.RETURN_WITHOUT_SALE: "Have the sale fiscalized first, then replay the return.",
    Code.RECEIPT_REJECTED: "Mend what Checkbox's words in the detail name, then replay.",
    Code.CHECKBOX_UNAVAILABLE: "Replay when Checkbox, or Bimp's archive check, answers again.",
    Code.INTERNAL_ERROR: "Look for request_broke_the_worker in the log, roll back or mend, resume, replay.",
}


def next_step(code: str | None) -> str:
    """The sentence for a dead letter's code."""
    unknown = "Look at the letter with `dead-letters show`: its code is none of the worker's."
    return NEXT_STEPS.get(code or "", unknown)
