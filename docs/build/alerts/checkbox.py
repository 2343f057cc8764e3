"""Checkbox, its cashiers, keys and registers."""

from __future__ import annotations

from docs.build.alerts.entry import Alert
from worker.fiscal.languages import N_

CHECKBOX = {
    "FiscalCheckboxDown": Alert(
        means=N_("A fifth of the calls or more has no usable answer (5xx, time-outs, broken connections)."),
        check=N_(
            'Dashboard "Checkbox": which endpoint, which status. Our own way out: proxy, DNS, certificates.'
        ),
        do=N_("Wait; orders are retried for `FISCAL_RETRY_MAX_AGE`. Tell the shops."),
    ),
    "FiscalCheckboxSlow": Alert(
        means=N_("Accepting a receipt takes over 5 seconds."),
        check=N_('Dashboard "Checkbox", all endpoints: theirs or our network.'),
        do=N_("Wait; nothing is lost."),
    ),
    "FiscalCheckboxAnswersUnknown": Alert(
        means=N_(
            "Checkbox refused in words that the failure table does not have; they were taken as a definite "
            "no."
        ),
        check=N_(
            "`dead-letters list --code RECEIPT_REJECTED --code CASHIER_CREDENTIALS_REJECTED`: `detail` has "
            "the words."
        ),
        do=N_(
            "Have a row added to `worker/checkbox/failures.py`; replay if the refusal was no definite one."
        ),
    ),
    "FiscalSignInsRefused": Alert(
        means=N_("Checkbox refuses the credentials of a cashier."),
        check=N_("Log lines with `code` CASHIER_CREDENTIALS_REJECTED: which `cashier`."),
        do=N_("See CASHIER_CREDENTIALS_REJECTED above."),
    ),
    "FiscalShiftEndsSoon": Alert(
        means=N_("The shift was opened over 23 hours ago; after 24 Checkbox takes no receipts in it."),
        check=N_("Whether somebody closed it at Checkbox: `fiscal-worker doctor` reads it anew."),
        do=N_(
            "Have it closed (with its Z-report) and a new one opened, by the cashier or with "
            "`fiscal-worker shifts close` and `shifts open`. Consider `shifts: auto`."
        ),
    ),
    "FiscalIntegrationErrors": Alert(
        means=N_(
            "The last check of the integration against Checkbox found something that stops its orders, or "
            "soon will."
        ),
        check=N_(
            "`fiscal-worker doctor --integration ID`, the console's page of cashiers, or the notice "
            "`integration.checked`: each names the place as a JSON pointer, what was found, and what to do."
        ),
        do=N_(
            "What the finding says. A change is checked at once, and every integration once a day; the alert "
            "ends with the next check. “Check now” on the console's page does not wait for it."
        ),
    ),
    "FiscalKeyEndsSoon": Alert(
        means=N_("The cashier's signing key (КЕП) ends within 14 days. After that Checkbox opens no shift."),
        check=N_("`fiscal-worker doctor` names the day."),
        do=N_("Have the cashier order a new key and put it into Checkbox."),
    ),
    "FiscalSubscriptionEndsSoon": Alert(
        means=N_(
            "Within 7 days the subscription ends, or Checkbox blocks the organization for a debt, whichever "
            "is earlier."
        ),
        check=N_("`fiscal-worker doctor`, and the organization's billing page in Checkbox."),
        do=N_("Have it paid. After the day all orders of the organization end in SUBSCRIPTION_ENDED."),
    ),
    "FiscalRegisterOffline": Alert(
        means=N_(
            "The register has worked without the tax service for more than 24 hours in a row, or 120 in a "
            "month. The law allows 36 and 168; past that the tax service blocks the register until the next "
            "period."
        ),
        check=N_(
            "Whether other registers are offline too (then it is the tax service), and the register's state "
            "in Checkbox."
        ),
        do=N_(
            "Have the register brought online in Checkbox. Nothing is to be done in the worker: offline "
            "receipts are valid."
        ),
    ),
}
