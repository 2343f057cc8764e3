"""Orders that wait, fail, or have an outcome that nobody knows."""

from __future__ import annotations

from docs.build.alerts.entry import Alert
from worker.fiscal.languages import N_

ORDERS = {
    "FiscalErrorBudgetBurnFast": Alert(
        means=N_(
            "Of 20 and more valid orders of the last hour over 7.2 % ended without a receipt (14.4 times "
            "what 99.5 % allows)."
        ),
        check=N_(
            'Dashboard "Fiscal worker", row "Why not": which code, which integration; then that code\'s '
            "entry above."
        ),
        do=N_("What that entry says, then replay. The orders are safe: each is a dead letter."),
    ),
    "FiscalErrorBudgetBurnSteady": Alert(
        means=N_("The same over 6 hours and 3 %."),
        check=N_("As for `FiscalErrorBudgetBurnFast`: which code, which integration."),
        do=N_("What the code's entry says, then replay."),
    ),
    "FiscalErrorBudgetBurnSlow": Alert(
        means=N_(
            "The error budget, 0.5 % of the valid orders, is being used up over days; it can wait until "
            "morning."
        ),
        check=N_(
            "The commonest codes of the last three days; they are mostly one cashier's or one integration's."
        ),
        do=N_("Mend that cause in working hours."),
    ),
    "FiscalNoSuccess": Alert(
        means=N_("Three orders or more wait, and none was fiscalized for a quarter of an hour."),
        check=N_(
            "In this order: alerts of Checkbox and of the broker; `/readyz` of the workers; "
            "`fiscal-worker doctor`."
        ),
        do=N_("What is waiting is tried again by itself as soon as the cause is gone."),
    ),
    "FiscalOldestRequestTooOld": Alert(
        means=N_("A request that a worker holds was first seen (or replayed) over 15 minutes ago."),
        check=N_(
            "Log lines `request_processed` with `outcome` delayed or postponed, newest first: `reason`, "
            "`cashier`."
        ),
        do=N_(
            "Checkbox away: wait. One cashier only: its shift and register; a register gets "
            "`FISCAL_REGISTER_RATE` a second."
        ),
    ),
    "FiscalRequestsWaitTooLong": Alert(
        means=N_("Orders wait over 10 minutes before a worker first looks at them: there is a backlog."),
        check=N_(
            '`fiscal_queue_messages{queue="fiscalize"}`, `fiscal_in_flight`, the length of Checkbox\'s calls.'
        ),
        do=N_("A rush at one register only waits for its rate. A rush at many: more replicas."),
    ),
    "FiscalDeadLettersPresent": Alert(
        means=N_("Messages wait for a person."),
        check=N_("`fiscal-worker dead-letters list`."),
        do=N_("Per code, see above: mend, then `dead-letters replay --code <code>`, or discard."),
    ),
    "FiscalDeadLettersGrow": Alert(
        means=N_("More than ten dead letters in ten minutes: something is wrong with many orders at once."),
        check=N_(
            "The code. INVALID_MESSAGE: a release of Bimp? INTERNAL_ERROR: a release of ours? SHIFT_*: a "
            "shop's morning?"
        ),
        do=N_("Stop the release that did it. Nothing is lost; replay when the cause is gone."),
    ),
    "FiscalUnknownOutcome": Alert(
        means=N_(
            "Checkbox was asked for a receipt, its answer was lost, and no look-up has been answered for 15 "
            "minutes. The worker sends no second one; the shop does not know whether it sold."
        ),
        check=N_(
            "Whether Checkbox answers; the order's receipt in Checkbox's own page: "
            "`fiscal-worker explain <order>`."
        ),
        do=N_("Wait for Checkbox. Nobody should enter the sale by hand: that would be the second receipt."),
    ),
    "FiscalReceiptStuck": Alert(
        means=N_(
            "A receipt that holds back the end of a shift has had no number for an hour; the shift is closed "
            "all the same."
        ),
        check=N_("The receipt's id in the log (`receipt_stuck`), and the receipt in Checkbox's own page."),
        do=N_(
            "Ask Checkbox's support about it. Nobody should enter the sale by hand: that would be the second "
            "receipt."
        ),
    ),
    "FiscalEventsNotConsumed": Alert(
        means=N_("`bimp.fiscal.events` has no consumer: Bimp's users do not see what came of their orders."),
        check=N_("Bimp's consumer. `fiscal_events_unread` shows how many events wait."),
        do=N_("Bring Bimp's consumer back; the events are kept."),
    ),
}
