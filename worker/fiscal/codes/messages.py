"""What message and configuration alone decide."""

from __future__ import annotations

from worker.fiscal.codes.entry import Entry, Remedy
from worker.fiscal.languages import N_
from worker.fiscal.outcomes import Code

MESSAGES = {
    Code.INVALID_MESSAGE: Entry(
        title=N_("The message has an error"),
        means=N_(
            "The message breaks the contract; nothing was sold. `detail.errors` names each place as a "
            "JSON pointer."
        ),
        check=N_(
            "Whether one message is affected or all since a release of Bimp: `dead-letters list --code "
            "INVALID_MESSAGE`. A uuid of zeros or f alone does not identify anything."
        ),
        do=N_(
            "Have Bimp correct the message and send it again, then discard the letter. A replay of the "
            "same body fails the same way."
        ),
        remedy=Remedy.DISCARD,
        sentence=N_("The order came with an error in its data: contact Bimp support"),
        of_return=N_("The return came with an error in its data: contact Bimp support"),
        facts=("{place}",),
    ),
    Code.UNKNOWN_INTEGRATION: Entry(
        title=N_("The integration is not set up"),
        means=N_(
            "The user chose an integration that the configuration does not have, or that belongs to "
            "another `company` than the message's `source`."
        ),
        check=N_(
            "The integrations: the id is spelt as in Bimp, and so is the company's code, zeros included; "
            "`fiscal_integrations_file_broken` is 0, or a newer version waits to be corrected. "
            "`fiscal_foreign_requests_total` counts messages of other companies."
        ),
        do=N_(
            "Add the integration or correct its `company`, wait some seconds until it is read, then "
            "replay. Where a message of another company came by mistake, have Bimp correct the choice "
            "and discard the letter."
        ),
        remedy=Remedy.EITHER,
        sentence=N_("The chosen integration is not set up: choose another one or ask the administrator"),
        facts=("{integration}",),
    ),
    Code.UNKNOWN_CASHIER: Entry(
        title=N_("The cashier is not set up"),
        means=N_("The integration is there, the cashier's row is not."),
        check=N_("The `cashiers` of that integration."),
        do=N_("Add the cashier's row to the integration, then replay."),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "The chosen cashier is not set up in the integration: choose another one or ask the administrator"
        ),
        facts=("{integration}/{cashier}",),
    ),
    Code.CONFIGURATION_INVALID: Entry(
        title=N_("The settings have a mistake"),
        means=N_(
            "The integration or the cashier is configured, with a mistake, and never was sound since the "
            "worker started. Nothing was sold; all other rows work."
        ),
        check=N_(
            "`detail.problems` names each place as a JSON pointer into the integration, and what is "
            "wrong there; so does the log, event `integration_out_of_service`, with the line of the "
            "file."
        ),
        do=N_(
            "Correct the row, or put the secret where it points. It counts within 5 seconds (from an "
            "address within one `FISCAL_INTEGRATIONS_POLL`); `dead-letters watch` replays the letters "
            "then, or replay them."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_("The settings of the integration or cashier have a mistake: correct it and try again"),
        facts=("{integration}/{cashier}: {places}",),
    ),
    Code.ORDER_ARCHIVED: Entry(
        title=N_("The order is archived"),
        means=N_(
            "The order is archived and has no receipt. There is no dead letter: Bimp asks again when "
            "somebody takes it out of the archive."
        ),
        check=N_(
            "Nothing, unless it comes for orders that are not archived: then see what the archive check "
            "answers."
        ),
        do=N_("Nothing: Bimp asks again."),
        remedy=Remedy.NONE,
        sentence=N_("The order is archived: take it out of the archive and try again"),
        of_return=N_("The return is archived: take it out of the archive and try again"),
    ),
    Code.CURRENCY_NOT_SUPPORTED: Entry(
        title=N_("The currency is not the hryvnia"),
        means=N_("The order is not in UAH. There is no dead letter."),
        check=N_("The order's currency in Bimp."),
        do=N_("Have the order changed to UAH in Bimp, and the button pressed again."),
        remedy=Remedy.NONE,
        sentence=N_("Receipts are issued in hryvnias only: change the order's currency and try again"),
        of_return=N_("Receipts are issued in hryvnias only: change the return's currency and try again"),
        facts=("{currency}",),
    ),
    Code.TOTALS_MISMATCH: Entry(
        title=N_("The sums do not add up"),
        means=N_(
            "Lines, discount, total and payments do not add up; `detail` shows the figures. Nothing was sold."
        ),
        check=N_("Which figure is off, and whether it is one order or a fault of Bimp's."),
        do=N_("Have the order corrected in Bimp and sent again, then discard the letter."),
        remedy=Remedy.DISCARD,
        sentence=N_("The order does not add up: check its lines, discounts, total and payments"),
        of_return=N_("The return does not add up: check its lines, discounts, total and payments"),
        facts=(
            "{line}",
            N_("goods less discount {goods}, total {total}"),
            N_("paid {paid}, due {due}"),
        ),
    ),
    Code.TAX_RATE_NOT_MAPPED: Entry(
        title=N_("A tax rate has no code"),
        means=N_("A line has a rate that the integration's `tax_rates` do not name."),
        check=N_(
            "The rate in `detail`, and the codes of the organization in Checkbox: `fiscal-worker doctor`."
        ),
        do=N_(
            "Ask the accountant for the rate's code, add it to `tax_rates`, then replay. A wrong code is "
            "a wrong tax on real receipts."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "A tax rate of the order is not set up in the integration: correct it or ask the administrator"
        ),
        of_return=N_(
            "A tax rate of the return is not set up in the integration: correct it or ask the administrator"
        ),
        facts=(N_("rate and goods: {rates}"),),
    ),
    Code.TAX_RATE_MISMATCH: Entry(
        title=N_("A tax code does not fit its rate"),
        means=N_(
            "The code that `tax_rates` gives to a line's rate has another percent at Checkbox, or does "
            "not exist there. Nothing was sold."
        ),
        check=N_(
            "`detail`: the rate, the code, its percent at Checkbox (`checkboxRate`), and the code that "
            "Checkbox has for the rate (`fittingCode`). `fiscal-worker doctor` compares the whole table."
        ),
        do=N_(
            "Correct the code in `tax_rates`, or have the tax corrected in Checkbox; the accountant "
            "knows which. Replay, or let `dead-letters watch` do it. A worker that still refuses has "
            "read Checkbox's table within the last 5 s."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "Checkbox has another rate under the integration's tax code: correct the code and try again"
        ),
        facts=(
            N_(
                "rate {rate}: code {code} has {checkboxRate} at Checkbox, the code is {fittingCode}; "
                "goods: {goods}"
            ),
            N_("rate {rate}: code {code} has {checkboxRate} at Checkbox; goods: {goods}"),
            N_("rate {rate}: Checkbox has no code {code}, the code is {fittingCode}; goods: {goods}"),
            N_("rate {rate}: Checkbox has no code {code}; goods: {goods}"),
        ),
    ),
}
