"""What is decided about a receipt."""

from __future__ import annotations

from worker.fiscal.codes.entry import Entry, Remedy
from worker.fiscal.languages import N_
from worker.fiscal.outcomes import Code
from worker.fiscal.reasons import Reason

RECEIPTS = {
    Code.RECEIPT_MISMATCH: Entry(
        title=N_("There is a receipt with other contents"),
        means=N_(
            "This order was fiscalized before by another request with another total or other lines; both "
            "contents are in `detail`. Or, with a `reason` in `detail`, Checkbox has a receipt that may "
            "be this document's and does not show whose it is."
        ),
        check=N_(
            "The order in Bimp against the receipt in Checkbox (`detail.receiptId`). Contents that "
            "differ end the same way when they are replayed."
        ),
        do=N_(
            "The accountant compares order and receipt and decides: a return of the old receipt and a "
            "new order, or nothing; then discard the letter. Replay only where the receipt was hidden "
            "and Checkbox shows it now."
        ),
        remedy=Remedy.DISCARD,
        sentence=N_("This order has a receipt with another total or other goods: return it if it is wrong"),
        of_return=N_("This return has a receipt with another total or other goods: ask the accountant"),
        facts=(
            N_("{found} on the receipt, {expected} in the document"),
            N_("goods that differ: {codes}"),
        ),
    ),
    Code.RECEIPT_RETURNED: Entry(
        title=N_("The sale was returned in full"),
        means=N_(
            "This order's sale was returned in full, and the request did not say `sellAgain`. Nothing "
            "was sold."
        ),
        check=N_("Nothing: there is no dead letter."),
        do=N_(
            "Nothing: where the order is to be sold anew, the user confirms it in Bimp, and it becomes a "
            "second receipt."
        ),
        remedy=Remedy.NONE,
        sentence=N_(
            "The receipt of this order was returned in full and no new one was made; confirm a repeated "
            "sale to sell it again"
        ),
    ),
    Code.RETURN_WITHOUT_SALE: Entry(
        title=N_("There is no sale to return"),
        means=N_(
            "`detail.reason` says which: the sale that is returned has no receipt (it was waited for, "
            "`FISCAL_RETURN_WAIT`), the receipt named is a return itself, or more would be given back "
            "than was sold. What counts is the last sale of the order that Checkbox did not refuse, with "
            "all its returns: this worker's, other requests' at the same moment, and those at the till; "
            "by money and by quantity of each code (`detail.codes`)."
        ),
        check=N_(
            "The sale's order: is it waiting among the dead letters itself? For too much: the sale's "
            "returns in Checkbox."
        ),
        do=N_(
            "Have the sale fiscalized first, then replay the return. Too much is for the accountant: "
            "replayed it ends the same way, unless an earlier return was refused since."
        ),
        remedy=Remedy.EITHER,
        sentence=N_(
            "The return is not possible: there is no receipt of the sale, or more is returned than was sold"
        ),
        facts=(
            N_(
                "{code}: sold {soldQuantity} for {soldAmount}, returned {returnedQuantity} for "
                "{returnedAmount}"
            ),
            N_("sold {sold}, returned {returned}"),
        ),
    ),
    Code.RECEIPT_REJECTED: Entry(
        title=N_("The receipt was refused"),
        means=N_(
            "Checkbox or the tax service refused the receipt; their words are in `detail`. No receipt counts."
        ),
        check=N_("The words. For a return in cash: whether there is enough in the till."),
        do=N_(
            "Fix what Checkbox's words in the detail name, then replay: it becomes a new receipt. Of a "
            "chain's return (`detail.receipts`) a replay posts again only while Checkbox has not "
            "cancelled the chain; else settle it in Checkbox."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_("Checkbox or the tax service refused the receipt: fix the cause and try again"),
        of_return=N_("Checkbox or the tax service refused the return: fix the cause and try again"),
        causes={
            Reason.CASH_SHORTAGE: N_(
                "Not enough cash in the till for this refund: add cash in Checkbox and try again"
            )
        },
        facts=("Checkbox: «{words}»",),
    ),
    Code.CHECKBOX_UNAVAILABLE: Entry(
        title=N_("Checkbox did not answer in time"),
        means=N_(
            "No usable answer until the retries ran out (`FISCAL_RETRY_MAX_AGE`); or the receipt was "
            "made and still has no number, which the message says; or, with `detail.service: "
            "archive_check`, Bimp did not answer."
        ),
        check=N_("The state of Checkbox and of the network; the archive check's address."),
        do=N_(
            "When Checkbox, or Bimp's archive check, answers again: `dead-letters replay --code "
            "CHECKBOX_UNAVAILABLE`. What was made is found, not made twice."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "Checkbox is not responding, the receipt is not confirmed: try later, there will be no second one"
        ),
        with_receipt=N_(
            "The receipt is made but still has no fiscal number: try later, there will be no second one"
        ),
        causes={Reason.ARCHIVE_CHECK: N_("Bimp did not answer whether the order is archived: try later")},
    ),
    Code.INTERNAL_ERROR: Entry(
        title=N_("Internal error"),
        means=N_("A fault of the worker."),
        check=N_(
            "The log line `request_broke_the_worker` with its stack; whether it began with a deploy. "
            "Past `FISCAL_DEAD_LETTER_LIMIT` in a row the worker has stopped itself, see `/readyz`."
        ),
        do=N_("Roll back or fix, `fiscal-worker resume`, then replay."),
        remedy=Remedy.REPLAY,
        sentence=N_("Internal error in the fiscalization service: contact your administrator"),
    ),
}
