"""The journal, and what it is held against."""

from __future__ import annotations

from docs.build.alerts.entry import Alert
from worker.fiscal.languages import N_

BOOKS = {
    "FiscalJournalLags": Alert(
        means=N_(
            "More than 10,000 messages have waited for the journal for 15 minutes. Orders go on; past 5 GB "
            "the queue `fiscal.journal` loses its oldest messages, and reconciliation cannot tell what the "
            "lost ones said."
        ),
        check=N_(
            "Whether `fiscal-worker journal` runs, and what its log says: `journal_database_away` or "
            "`journal_broker_away`."
        ),
        do=N_(
            "Bring the database back; the journal catches up by itself. Where no journal is wanted any more: "
            "`fiscal-worker journal --remove`."
        ),
    ),
    "FiscalReconciliationDiffers": Alert(
        means=N_(
            "A shift that was closed in the last 48 hours does not agree with the journal; the label `kind` "
            "says how."
        ),
        check=N_(
            "`fiscal-worker reconcile --day YYYY-MM-DD` names each receipt. Messages that the journal's "
            "queue has lost look like `receipt_untold`."
        ),
        do=N_(
            "By the kind, as below; `foreign_receipt` is somebody else at the register and sets off no alert."
        ),
        kinds={
            "order_doubled": N_(
                "an order was sold twice: declare a return of one of the receipts, and keep the logs: this "
                "must never happen"
            ),
            "receipt_missing": N_(
                "Bimp was told *succeeded*, and Checkbox has no such receipt, or the tax service refused it "
                "later: look at it in Checkbox; the order may have to be sold anew"
            ),
            "sum_differs": N_(
                "the receipt has another sum than was asked for: look at both, and correct it by a return "
                "and a new sale"
            ),
            "receipt_untold": N_(
                "Checkbox has the receipt, and no event was heard: `fiscal-worker explain`; press the button "
                "in Bimp again, it is answered with that receipt"
            ),
            "shift_differs": N_(
                "the sums of the Z-report are explained by no receipt: ask Checkbox for the shift"
            ),
            "request_unanswered": N_(
                "a request has no outcome; `reconcile` and the console name it, no alert does: "
                "`fiscal-worker explain`, and press the button in Bimp again where the receipt is still "
                "needed"
            ),
            "not_compared": N_(
                "Checkbox or the journal could not be asked; it is tried again every 15 minutes"
            ),
        },
    ),
}
