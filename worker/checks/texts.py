"""What a finding says to the person who set up the integration: the row, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from worker.checks.finding import Finding, FindingCode
from worker.fiscal.languages import LANGUAGES, N_, Sentence, translations

#: How a rate is written: a percent, or a rate that is none.
_NOT_ACCOUNTABLE = N_("no VAT")
_RATES = frozenset({"rate", "checkboxRate"})


def message(finding: Finding) -> Sentence:
    """In three languages, each one line."""
    text = TEXTS[finding.code, finding.variant]
    return {
        language: translated(text, language).format_map(
            {name: _written(name, fact, language) for name, fact in finding.facts.items()}
        )
        for language in LANGUAGES
    }


def translated(text: str, language: str) -> str:
    """A text of this room in a language."""
    return translations(Path(__file__).parent / "locale", "checks", language).gettext(text)


def _written(name: str, fact: str, language: str) -> str:
    if name == "date":
        return date.fromisoformat(fact).strftime("%d.%m.%Y")
    if name not in _RATES:
        return " ".join(fact.split())
    return translated(_NOT_ACCOUNTABLE, language) if fact == "not_accountable" else f"{fact} %"


TEXTS: Mapping[tuple[FindingCode, str], str] = {
    (FindingCode.CONFIGURATION_INVALID, ""): N_("{row}: a mistake in the settings, correct it: {problem}"),
    (FindingCode.SUBSCRIPTION_ENDED, ""): N_(
        "Checkbox's subscription or term of payment ended on {date}, pay it there"
    ),
    (FindingCode.SUBSCRIPTION_ENDED, "refused"): N_(
        "Checkbox refuses the organization its service («{words}»), pay the subscription or debt there"
    ),
    (FindingCode.SUBSCRIPTION_ENDS, ""): N_(
        "Checkbox's subscription or term of payment ends on {date}, pay it there"
    ),
    (FindingCode.TAX_CODE_UNKNOWN, ""): N_(
        "Rate {rate}: Checkbox has no code {code}. Its code for {rate} is {fittingCode}"
    ),
    (FindingCode.TAX_CODE_UNKNOWN, "no_code"): N_(
        "Rate {rate}: Checkbox has neither code {code} nor the rate. Add the tax at Checkbox"
    ),
    (FindingCode.TAX_RATE_MISMATCH, ""): N_(
        "Rate {rate}: code {code} has {checkboxRate} at Checkbox. Its code for {rate} is {fittingCode}"
    ),
    (FindingCode.TAX_RATE_MISMATCH, "no_code"): N_(
        "Rate {rate}: code {code} has {checkboxRate} at Checkbox, and no code has {rate}. Add the tax there"
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "not_accountable"): N_(
        "Rate {rate}: code {code} at Checkbox («{label}») is not the tax without VAT, check the code"
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "percent"): N_(
        "Rate {rate}: code {code} at Checkbox («{label}») is the tax without VAT, check the code"
    ),
    (FindingCode.TAX_CODE_WITH_EXCISE, ""): N_(
        "Rate {rate}: code {code} adds {excise} % of excise at Checkbox, check that the goods are excisable"
    ),
    (FindingCode.TAX_RATE_WITHOUT_ROW, ""): N_(
        "Checkbox has the rate {rate} (code {code}), which the table lacks"
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "no_payer"): N_(
        "The organization does not pay VAT, and the table has the rate {rate}: ask the accountant"
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "payer"): N_(
        "The organization pays VAT, and the table has nothing but no VAT: ask the accountant"
    ),
    (FindingCode.SIGN_IN_REFUSED, "password"): N_(
        "{row}: Checkbox refused the login or password («{words}»), enter the right ones"
    ),
    (FindingCode.SIGN_IN_REFUSED, "pin_code"): N_(
        "{row}: Checkbox refused the PIN («{words}»), enter the right one"
    ),
    (FindingCode.LICENSE_KEY_REFUSED, ""): N_(
        "{row}: Checkbox refused the licence key, enter that of the right register"
    ),
    (FindingCode.CASHIER_BLOCKED, ""): N_(
        "{row}: the cashier is blocked at Checkbox, have them unblocked there"
    ),
    (FindingCode.OTHER_ORGANIZATION, ""): N_(
        "{row}: the cashier and register {register} are of different organizations, correct login or key"
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test"): N_(
        "{row}: a test register or cashier, receipts do not count: use live ones, or environment: test"
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live"): N_(
        "{row}: a live register or cashier where test is declared: use test ones, or environment: live"
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test_register"): N_(
        "{row}: a live cashier at a test register, use a cashier and a register of one kind"
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live_register"): N_(
        "{row}: a test cashier at a live register, use a cashier and a register of one kind"
    ),
    (FindingCode.WRONG_REGISTER, ""): N_(
        "{row}: the shift is open at register {register}, the licence key is of "
        "{expectedRegister}: close it or correct the key"
    ),
    (FindingCode.KEY_EXPIRED, ""): N_("{row}: the cashier's key ended on {date}, renew it at Checkbox"),
    (FindingCode.KEY_EXPIRES, ""): N_("{row}: the cashier's key ends on {date}, order a new one"),
    (FindingCode.KEY_CANNOT_SIGN, ""): N_(
        "{row}: the cashier's key cannot sign the opening of a shift, check it at Checkbox"
    ),
    (FindingCode.KEY_OFFLINE, ""): N_(
        "{row}: the program with the cashier's key does not answer now, start it"
    ),
    (FindingCode.SHIFT_OVER_20H, "manual"): N_(
        "{row}: the shift was opened {hours} h ago, close it before it is 24 h old"
    ),
    (FindingCode.SHIFT_OVER_20H, "auto"): N_(
        "{row}: the shift was opened {hours} h ago and is not closed yet: check what prevents it"
    ),
    (FindingCode.REGISTER_OFFLINE, ""): N_(
        "{row}: register {register} is offline, check its connection to the tax service"
    ),
    (FindingCode.OFFLINE_HOURS, "session"): N_(
        "{row}: register {register} is offline for {hours} of {limit} h in a row, restore the connection"
    ),
    (FindingCode.OFFLINE_HOURS, "month"): N_(
        "{row}: register {register} was offline for {hours} of {limit} h this month, restore the connection"
    ),
    (FindingCode.OFFLINE_CODES_LOW, ""): N_(
        "{row}: register {register} has {count} offline codes left, ask Checkbox"
    ),
    (FindingCode.NOT_CHECKED, ""): N_(
        "{row}: Checkbox did not answer ({reason}), the check will be repeated"
    ),
}
