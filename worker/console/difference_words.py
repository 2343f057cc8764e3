"""What the kinds of differences between the journal and Checkbox's books mean, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from worker.fiscal.languages import N_


@dataclass(frozen=True, slots=True)
class Words:
    """Marked for the catalogues."""

    title: str
    do: str


#: By kind, the gravest first.
DIFFERENCES = {
    "order_doubled": Words(
        N_("Sold twice"),
        N_(
            "Have a return of one of the receipts made in Bimp, and keep the worker's logs:"
            " this must never happen."
        ),
    ),
    "receipt_missing": Words(
        N_("No such receipt at Checkbox"),
        N_(
            "Bimp was told that the receipt was issued, and Checkbox has none, or the tax service refused it"
            " later: look at it in Checkbox. The order may have to be sold anew."
        ),
    ),
    "sum_differs": Words(
        N_("The receipt has another sum"),
        N_("Compare the receipt with the order, and correct it by a return and a new sale."),
    ),
    "receipt_untold": Words(
        N_("Bimp was not told of the receipt"),
        N_("Press the button in Bimp again: it is answered with the receipt that is there."),
    ),
    "shift_differs": Words(
        N_("The sums of the Z-report are others"),
        N_("No single receipt explains it: ask Checkbox for the shift."),
    ),
    "request_unanswered": Words(
        N_("A request without an answer"),
        N_("Look at the order's history, and press the button in Bimp again where it is still needed."),
    ),
    "not_compared": Words(
        N_("Could not be compared"),
        N_("See the reason; the worker tries a closed shift again every 15 minutes."),
    ),
    "foreign_receipt": Words(
        N_("Receipts of others at the register"),
        N_("A person at the till, or another program. This is no difference by itself."),
    ),
}
