"""What does not fit a chain of prepayments."""

from __future__ import annotations

from worker.fiscal.chain import ChainReason
from worker.fiscal.codes.entry import Entry, Remedy
from worker.fiscal.languages import N_
from worker.fiscal.outcomes import Code

PREPAYMENTS = {
    Code.PREPAYMENT_MISMATCH: Entry(
        title=N_("The money does not fit the prepayments"),
        means=N_(
            "The money does not fit the order's prepayments; `detail` has the reason, Checkbox's sums "
            "and its word for the chain."
        ),
        check=N_(
            "`fiscal-worker explain` shows the order's receipts, also those of its chains. Another "
            "letter of the same order may be what this one waits for."
        ),
        do=N_(
            "Correct what the reason names, then replay. `dead-letters watch` replays by itself what "
            "only came too early: before the chain, or before other money. An order that was changed "
            "needs its chain returned and new payments; then discard the letter."
        ),
        remedy=Remedy.EITHER,
        sentence=N_("The payment does not fit the order's prepayment: check the sums and try again"),
        made=N_("A receipt of the order is already made. "),
        causes={
            ChainReason.NOT_ENABLED: N_(
                "The integration takes no prepayments: switch them on or take the payment with one receipt"
            ),
            ChainReason.WHICH_CHAIN: N_("The order has had several prepayments: say which one to return"),
            ChainReason.ORDER_SOLD: N_(
                "The order was already sold with one receipt: no prepayment was taken"
            ),
            ChainReason.CHAIN_STANDS: N_(
                "The order has a prepayment: take the rest of the money, or return the whole prepayment"
            ),
            ChainReason.NO_CHAIN: N_("The order has no prepayment: take the prepayment first"),
            ChainReason.TOTAL_DIFFERS: N_(
                "The order's total has changed since the prepayment: return the prepayment and take it anew"
            ),
            ChainReason.LINES_DIFFER: N_(
                "The order's goods have changed since the prepayment: return the prepayment and take it anew"
            ),
            ChainReason.CHAIN_PAID: N_("The order is paid in full already: nothing is left to pay"),
            ChainReason.NOT_THE_REST: N_("The sum is not what is left to pay: correct the sum"),
            ChainReason.NOT_LESS: N_(
                "The advance is not less than what is left to pay: correct the sum, or mark the payment "
                "as the last"
            ),
        },
        facts=(N_("total {total}, paid {paid}, left {left}"),),
    ),
}
