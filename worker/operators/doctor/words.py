"""A finding of the checks as a line of `doctor`: what was seen, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from worker.checks.finding import Finding as Found
from worker.checks.finding import FindingCode, Severity
from worker.operators.doctor.finding import Finding, State

SIGN_IN, KEY, REGISTER, SHIFT, TAXES = "sign-in", "key", "register", "shift", "tax rates"
SUBSCRIPTION = "subscription"

#: Without an answer nothing was checked.
_WRONG_HERE = frozenset({FindingCode.NOT_CHECKED})
_TAX_ADVICE = "ask the accountant for the code, and mend tax_rates: a wrong code is a wrong tax on receipts"
_FITTING = "put code {fittingCode} into tax_rates, which is {rate} at Checkbox; the accountant should agree"


def line(found: Found, row: str, integration: str, organization: str) -> Finding:
    """``row``, ``integration`` and ``organization`` are what the line may be of."""
    check, seen, advice = WORDS[found.code, found.variant]
    subject = {TAXES: integration, SUBSCRIPTION: organization}.get(check, row)
    is_wrong = found.code.severity is Severity.ERROR or found.code in _WRONG_HERE
    facts = {name: _written(name, fact) for name, fact in found.facts.items()}
    state = State.WRONG if is_wrong else State.WARNING
    return Finding(state, check, subject, seen.format_map(facts), advice.format_map(facts))


def _written(name: str, fact: str) -> str:
    is_percent = name in ("rate", "checkboxRate") and fact != "not_accountable"
    return f"{fact} %" if is_percent else fact


WORDS: Mapping[tuple[FindingCode, str], tuple[str, str, str]] = {
    (FindingCode.SUBSCRIPTION_ENDED, ""): (
        SUBSCRIPTION,
        "the subscription ended on {date}",
        "have Checkbox's subscription extended, or the debt paid",
    ),
    (FindingCode.SUBSCRIPTION_ENDED, "refused"): (
        SUBSCRIPTION,
        "{words}",
        "have Checkbox's subscription extended, or the debt paid",
    ),
    (FindingCode.SUBSCRIPTION_ENDS, ""): (
        SUBSCRIPTION,
        "the subscription ends on {date}",
        "have Checkbox's subscription extended, or the debt paid",
    ),
    (FindingCode.TAX_CODE_UNKNOWN, ""): (
        TAXES,
        "{rate} has code {code}, which Checkbox does not know",
        _FITTING,
    ),
    (FindingCode.TAX_CODE_UNKNOWN, "no_code"): (
        TAXES,
        "{rate} has code {code}, which Checkbox does not know",
        _TAX_ADVICE,
    ),
    (FindingCode.TAX_RATE_MISMATCH, ""): (
        TAXES,
        "{rate} has code {code}, which is {checkboxRate} at Checkbox",
        _FITTING,
    ),
    (FindingCode.TAX_RATE_MISMATCH, "no_code"): (
        TAXES,
        "{rate} has code {code}, which is {checkboxRate} at Checkbox",
        _TAX_ADVICE,
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "not_accountable"): (
        TAXES,
        "{rate} has code {code}, which is {label} at Checkbox",
        _TAX_ADVICE,
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "percent"): (
        TAXES,
        "{rate} has code {code}, which is {label} at Checkbox",
        _TAX_ADVICE,
    ),
    (FindingCode.TAX_CODE_WITH_EXCISE, ""): (
        TAXES,
        "{rate} has code {code}, which adds {excise} % of excise",
        "use it for excisable goods alone, or take a code without excise",
    ),
    (FindingCode.TAX_RATE_WITHOUT_ROW, ""): (
        TAXES,
        "no row for {rate} (code {code})",
        "add the row if it is sold with: orders with that rate end in TAX_RATE_NOT_MAPPED",
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "no_payer"): (
        TAXES,
        "{rate} is in the table, and the organization does not pay VAT",
        "ask the accountant whether the organization pays VAT, and mend tax_rates",
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "payer"): (
        TAXES,
        "the organization pays VAT, and the table has nothing but not_accountable",
        "ask the accountant whether the organization pays VAT, and mend tax_rates",
    ),
    (FindingCode.SIGN_IN_REFUSED, "password"): (
        SIGN_IN,
        "{words}",
        "put the right login and password where the configuration points",
    ),
    (FindingCode.SIGN_IN_REFUSED, "pin_code"): (
        SIGN_IN,
        "{words}",
        "put the right PIN and licence key where the configuration points",
    ),
    (FindingCode.LICENSE_KEY_REFUSED, ""): (
        REGISTER,
        "licence key refused",
        "put the register's own licence key",
    ),
    (FindingCode.CASHIER_BLOCKED, ""): (
        SIGN_IN,
        "is blocked",
        "have the cashier unblocked in Checkbox",
    ),
    (FindingCode.OTHER_ORGANIZATION, ""): (
        REGISTER,
        "{register} is of another organization than the cashier",
        "correct the login or the licence key",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test"): (
        REGISTER,
        "a test cashier or register: receipts do not count",
        "use live ones where real goods are sold, else declare environment: test",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live"): (
        REGISTER,
        "a live cashier or register, and the integration is declared a test",
        "use test ones, or declare environment: live",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test_register"): (
        REGISTER,
        "a live cashier at a test register",
        "give the row a cashier and a register of the same kind",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live_register"): (
        REGISTER,
        "a test cashier at a live register",
        "give the row a cashier and a register of the same kind",
    ),
    (FindingCode.WRONG_REGISTER, ""): (
        SHIFT,
        "open at register {register}, and the licence key is of {expectedRegister}",
        "have the shift closed, or correct license_key",
    ),
    (FindingCode.KEY_EXPIRED, ""): (
        KEY,
        "the key ended on {date}",
        "have the cashier's key renewed and put into Checkbox",
    ),
    (FindingCode.KEY_EXPIRES, ""): (
        KEY,
        "the key ends on {date}",
        "have the cashier's key renewed and put into Checkbox",
    ),
    (FindingCode.KEY_CANNOT_SIGN, ""): (
        KEY,
        "the key cannot sign, so no shift can be opened",
        "see in Checkbox why the key cannot sign: expired, not uploaded, or its service is not running",
    ),
    (FindingCode.KEY_OFFLINE, ""): (
        KEY,
        "the program that holds the key does not answer",
        "start it, or move the key to Checkbox's cloud",
    ),
    (FindingCode.SHIFT_OVER_20H, "manual"): (
        SHIFT,
        "{hours} h old",
        "have it closed and a new one opened before it is 24 h old",
    ),
    (FindingCode.SHIFT_OVER_20H, "auto"): (
        SHIFT,
        "{hours} h old",
        "see whether a worker runs: it should close the shift",
    ),
    (FindingCode.REGISTER_OFFLINE, ""): (
        REGISTER,
        "{register} is offline",
        "see whether the tax service answers: receipts have offline numbers until then, 36 h at most",
    ),
    (FindingCode.OFFLINE_HOURS, "session"): (
        REGISTER,
        "{register} is offline for {hours} h of {limit} in a row",
        "have the connection to the tax service restored: past the limit the register is blocked",
    ),
    (FindingCode.OFFLINE_HOURS, "month"): (
        REGISTER,
        "{register} was offline for {hours} h of {limit} this month",
        "have the connection to the tax service restored: past the limit the register is blocked",
    ),
    (FindingCode.OFFLINE_CODES_LOW, ""): (
        REGISTER,
        "{register} has {count} offline codes left",
        "ask Checkbox why it fetches no new ones",
    ),
    (FindingCode.NOT_CHECKED, ""): (SIGN_IN, "not known: {reason}", "try again when Checkbox answers"),
}
