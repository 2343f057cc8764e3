"""What concerns the cashier, the register and the shift."""

from __future__ import annotations

from worker.fiscal.codes.entry import Entry, Remedy
from worker.fiscal.languages import N_
from worker.fiscal.outcomes import Code
from worker.fiscal.reasons import Reason

#: Checkbox speaks Ukrainian, whatever the language of the sentence.
_WORDS = "Checkbox: «{words}»"

CASHIERS = {
    Code.CASHIER_CREDENTIALS_REJECTED: Entry(
        title=N_("Checkbox refused the cashier's credentials"),
        means=N_(
            "Checkbox refused login, password, PIN or licence key, or the token of a fresh sign-in, or "
            "forbids the cashier a call that the receipt needs."
        ),
        check=N_(
            "Sign in by hand at Checkbox; whether somebody changed the password; whether many cashiers "
            "are refused at once, which points to a wrong secret in the deployment."
        ),
        do=N_(
            "Put the right secret where the configuration points (a file is read again by itself), then "
            "replay."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "Checkbox refused the cashier's login, password, PIN or licence key: check them in the "
            "integration"
        ),
        facts=(_WORDS,),
    ),
    Code.SUBSCRIPTION_ENDED: Entry(
        title=N_("The Checkbox subscription has ended"),
        means=N_(
            "Checkbox refuses its service (402): the subscription or licence has ended, or the "
            "organization is blocked for a debt."
        ),
        check=N_("Checkbox's words in `detail`, and the organization's account in Checkbox."),
        do=N_("Have the organization pay Checkbox, then `dead-letters replay --code SUBSCRIPTION_ENDED`."),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "Checkbox has suspended this organization: the subscription has ended or a debt is due, pay "
            "it there"
        ),
        facts=(_WORDS,),
    ),
    Code.WRONG_REGISTER: Entry(
        title=N_("The shift is open at another register"),
        means=N_(
            "The cashier's row names the licence key of one register, and the cashier's open shift is at "
            "another one."
        ),
        check=N_("`detail` has both registers."),
        do=N_("Have the shift at the other register closed, or correct the row's licence key, then replay."),
        remedy=Remedy.REPLAY,
        sentence=N_(
            "The cashier's shift is open at another register than the integration names: close it or fix "
            "the key"
        ),
        facts=(
            N_("the shift is at register {register}, the integration names {expectedRegister}"),
            N_("the shift is at register {register}"),
        ),
    ),
    Code.SHIFT_NOT_OPEN: Entry(
        title=N_("The shift is not open"),
        means=N_(
            "The cashier has no open shift and the integration leaves shifts to people; or Checkbox "
            "refused to open one, with its reason in `detail`."
        ),
        check=N_(
            "The cashier's shift in Checkbox; with `shifts: auto` the reason: the key may have expired, "
            "the tax service may not answer."
        ),
        do=N_(
            "Have the cashier's shift opened in Checkbox, or open it with `shifts open --cashier ID`, then "
            "`dead-letters replay --code SHIFT_NOT_OPEN --cashier ID`."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_("The cashier's shift is not open: open it in Checkbox and try again"),
        causes={
            Reason.KEY_EXPIRED: N_(
                "The shift was not opened: the cashier's signing key has expired, renew it in Checkbox"
            )
        },
        facts=(_WORDS,),
    ),
    Code.SHIFT_OPEN_OVER_24H: Entry(
        title=N_("The shift is older than 24 hours"),
        means=N_(
            "The shift is older than 24 hours, which the law does not allow: Checkbox takes no more "
            "receipts in it."
        ),
        check=N_("`detail.openedAt`; why it was not closed."),
        do=N_(
            "Have the shift closed (with its Z-report) and a new one opened in Checkbox, or use `shifts "
            "close --cashier ID` and `shifts open --cashier ID`, then "
            "`dead-letters replay --code SHIFT_OPEN_OVER_24H --cashier ID`. Consider `shifts: auto`."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_("The shift was opened more than 24 hours ago: close it and open a new one to go on"),
    ),
    Code.REGISTER_BUSY: Entry(
        title=N_("Another cashier's shift is open at the register"),
        means=N_("A shift was to be opened, and another cashier's is open at that register."),
        check=N_("Who works at the register; whether two cashiers' rows have one licence key."),
        do=N_(
            "Have the other cashier's shift at that register closed, or let the user choose that "
            "cashier, then replay."
        ),
        remedy=Remedy.REPLAY,
        sentence=N_("Another cashier's shift is open on the register: close it or choose that cashier"),
        facts=(N_("register {register}"), _WORDS),
    ),
}
