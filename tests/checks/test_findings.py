"""What is found in what Checkbox shows: by code, place and severity; and what the person reads."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.builders import a_tax, an_integration
from tests.fiscal.fakes import NOW, a_shift
from worker.checkbox.party_answers import (
    CashierInfo,
    OfflineCodes,
    OfflineTime,
    RegisterInfo,
    SignatureStatus,
)
from worker.checks.finding import Finding, FindingCode, Severity
from worker.checks.integration import judge
from worker.checks.reading import Seen
from worker.checks.texts import TEXTS, message, translated
from worker.fiscal.configured import CashierRow, IntegrationRow, Problem
from worker.fiscal.integrations import Environment, ShiftPolicy
from worker.fiscal.languages import LANGUAGES
from worker.fiscal.tax_rates import TaxRates
from worker.operators.doctor.words import WORDS

HOUR, DAY = 3600.0, 86400.0
USUAL = (a_tax(1, 20), a_tax(2, 7), a_tax(3, 0), a_tax(8, 0, no_vat=True))
REGISTER = RegisterInfo("r1", "o1", "4000000001", False, False, False, None)
ME = CashierInfo("c1", "Олена", "ФОП Приклад", "o1", True, False, None, NOW + 300 * DAY, NOW + 300 * DAY)
SHIFT = a_shift(opened_at=NOW - HOUR, register_id="r1", register_number="4000000001")
LIVE = an_integration(environment=Environment.LIVE)
RATES = (Decimal(20), Decimal(7), Decimal(0), None)


def seen(**changes: Any) -> Seen:
    """All is well, but for what a test changes."""
    well = Seen(
        register=REGISTER,
        offline_time=OfflineTime(0, 0),
        offline_codes=OfflineCodes(2000, is_low=False),
        me=ME,
        signature=SignatureStatus("CLOUD_SIGNATURE_3", is_online=True, can_open_shift=True),
        is_shift_known=True,
        shift=SHIFT,
        taxes=USUAL,
    )
    return replace(well, **changes)


def row(integration: Any = LIVE, **changes: Any) -> IntegrationRow:
    cashiers = tuple(CashierRow(one.id, one.name) for one in integration.cashiers.values())
    sound = IntegrationRow(integration.id, frozenset(), (), cashiers, RATES, integration)
    return replace(sound, **changes)


def found(shown: Seen, configured: IntegrationRow | None = None) -> list[Finding]:
    configured = configured or row()
    return list(judge(configured, {"olena": shown}, NOW).findings)


def codes(shown: Seen, configured: IntegrationRow | None = None) -> list[tuple[str, str]]:
    return [(one.path, one.code.value) for one in found(shown, configured)]


def test_a_sound_row_has_no_finding() -> None:
    assert found(seen()) == []


def me(**changes: Any) -> Seen:
    return seen(me=replace(ME, **changes))


def register(**changes: Any) -> Seen:
    return seen(register=replace(REGISTER, **changes))


@pytest.mark.parametrize(
    ("shown", "path", "code"),
    [
        (seen(me=None, sign_in_refused="Невірний пароль"), "/cashiers/0/password", "SIGN_IN_REFUSED"),
        (seen(register=None, key_refused=True), "/cashiers/0/license_key", "LICENSE_KEY_REFUSED"),
        (me(blocked="2026-01-01"), "/cashiers/0", "CASHIER_BLOCKED"),
        (register(organization_id="o2"), "/cashiers/0", "OTHER_ORGANIZATION"),
        (seen(me=replace(ME, is_test=True), register=None), "/cashiers/0", "WRONG_ENVIRONMENT"),
        (register(is_test=True), "/cashiers/0", "WRONG_ENVIRONMENT"),
        (seen(shift=replace(SHIFT, register_id="r2")), "/cashiers/0", "WRONG_REGISTER"),
        (me(certificate_end=NOW), "/cashiers/0", "KEY_EXPIRED"),
        (
            seen(shift=None, signature=SignatureStatus("AGENT", is_online=True, can_open_shift=False)),
            "/cashiers/0",
            "KEY_CANNOT_SIGN",
        ),
        (me(subscription_end=NOW), "", "SUBSCRIPTION_ENDED"),
        (seen(block_date=NOW - 1), "", "SUBSCRIPTION_ENDED"),
        (seen(service_refused="Підписка скінчилася"), "", "SUBSCRIPTION_ENDED"),
        (seen(taxes=USUAL[1:]), "/tax_rates/0/code", "TAX_CODE_UNKNOWN"),
        (seen(taxes=(a_tax(1, 7), *USUAL[1:], a_tax(5, 20))), "/tax_rates/0/code", "TAX_RATE_MISMATCH"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors(shown: Seen, path: str, code: str) -> None:
    assert codes(shown) == [(path, code)]
    assert found(shown)[0].code.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("shown", "path", "code"),
    [
        (me(certificate_end=NOW + 29 * DAY), "/cashiers/0", "KEY_EXPIRES"),
        (
            seen(signature=SignatureStatus("AGENT", is_online=False, can_open_shift=False)),
            "/cashiers/0",
            "KEY_OFFLINE",
        ),
        (
            seen(shift=None, signature=SignatureStatus("AGENT", is_online=False, can_open_shift=False)),
            "/cashiers/0",
            "KEY_OFFLINE",
        ),
        (seen(shift=replace(SHIFT, opened_at=NOW - 20.1 * HOUR)), "/cashiers/0", "SHIFT_OVER_20H"),
        (register(is_offline=True), "/cashiers/0", "REGISTER_OFFLINE"),
        (seen(offline_time=OfflineTime(24 * 3600 + 1, 0)), "/cashiers/0", "OFFLINE_HOURS"),
        (seen(offline_time=OfflineTime(0, 120 * 3600 + 1)), "/cashiers/0", "OFFLINE_HOURS"),
        (seen(offline_codes=OfflineCodes(10, is_low=True)), "/cashiers/0", "OFFLINE_CODES_LOW"),
        (Seen(unanswered="connect_error"), "/cashiers/0", "NOT_CHECKED"),
        (seen(taxes=(*USUAL[:3], a_tax(8, 0))), "/tax_rates/3/code", "TAX_NO_VAT_DIFFERS"),
        (
            seen(taxes=(*USUAL[:2], a_tax(3, 0, no_vat=True), USUAL[3])),
            "/tax_rates/2/code",
            "TAX_NO_VAT_DIFFERS",
        ),
        (
            seen(taxes=(a_tax(1, 20, extra_rate=Decimal(5)), *USUAL[1:])),
            "/tax_rates/0/code",
            "TAX_CODE_WITH_EXCISE",
        ),
        (seen(taxes=(*USUAL, a_tax(4, 14))), "/tax_rates", "TAX_RATE_WITHOUT_ROW"),
        (me(is_vat=False), "/tax_rates", "VAT_PAYER_MISMATCH"),
        (me(subscription_end=NOW + 13 * DAY), "", "SUBSCRIPTION_ENDS"),
        (seen(block_date=NOW + 13 * DAY), "", "SUBSCRIPTION_ENDS"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_warnings(shown: Seen, path: str, code: str) -> None:
    assert codes(shown) == [(path, code)]
    assert found(shown)[0].code.severity is Severity.WARNING


@pytest.mark.parametrize(
    "shown",
    [
        me(certificate_end=NOW + 30 * DAY, subscription_end=NOW + 14 * DAY),
        seen(shift=replace(SHIFT, opened_at=NOW - 20 * HOUR)),
        seen(offline_time=OfflineTime(24 * 3600, 120 * 3600)),
        seen(signature=SignatureStatus("AGENT", is_online=True, can_open_shift=False)),
        seen(shift=None),
        seen(shift=replace(SHIFT, status="CLOSED", register_id="r2")),
        me(organization_id=None, is_test=None, certificate_end=None, subscription_end=None),
        register(organization_id=None, is_test=None),
        seen(taxes=None, signature=None, me=None, register=None, offline_time=None, offline_codes=None),
        seen(taxes=(*USUAL, a_tax(9, 0, no_vat=True), a_tax(10, None))),
    ],
)
def test_what_is_no_finding(shown: Seen) -> None:
    """Just inside a limit, a key that cannot open a second shift, and what Checkbox does not show."""
    assert found(shown) == []


def test_a_shift_that_the_worker_closes_is_late_past_its_rollover() -> None:
    """20 hours are then as planned."""
    auto = row(an_integration(environment=Environment.LIVE, shifts=ShiftPolicy.AUTO))
    assert found(seen(shift=replace(SHIFT, opened_at=NOW - 22 * HOUR)), auto) == []
    (late,) = found(seen(shift=replace(SHIFT, opened_at=NOW - 23.2 * HOUR)), auto)
    assert (late.code, late.variant) == (FindingCode.SHIFT_OVER_20H, "auto")


def test_a_live_register_where_a_test_is_declared() -> None:
    declared = row(an_integration(environment=Environment.TEST))
    assert codes(seen(), declared) == [("/cashiers/0", "WRONG_ENVIRONMENT")]
    assert found(seen(me=replace(ME, is_test=True), register=replace(REGISTER, is_test=True)), declared) == []


def test_a_payer_of_vat_with_nothing_but_no_vat() -> None:
    integration = an_integration(environment=Environment.LIVE, tax_rates=TaxRates({}, 8))
    configured = row(integration, rates=(None,))
    assert ("/tax_rates", "VAT_PAYER_MISMATCH") in codes(seen(), configured)


def test_the_earlier_end_counts() -> None:
    """Of the subscription and of a debt."""
    checked = judge(row(), {"olena": seen(block_date=NOW + 5 * DAY)}, NOW)
    assert checked.subscription_end == NOW + 5 * DAY
    assert [one.code for one in checked.findings] == [FindingCode.SUBSCRIPTION_ENDS]


def test_cashiers_of_one_table_have_its_findings_once() -> None:
    wrong = seen(taxes=(a_tax(1, 7), *USUAL[1:]))
    checked = judge(row(), {"olena": wrong, "petro": wrong}, NOW)
    assert [one.code for one in checked.findings] == [FindingCode.TAX_RATE_MISMATCH]


def test_rows_out_of_service_are_told_with_their_places() -> None:
    """And nobody is asked for them."""
    problem = Problem("/cashiers/1/password", "env:PETRO is not set")
    configured = row(cashiers=(CashierRow("olena", "Каса 1"), CashierRow("petro", "Каса 2", (problem,))))
    checked = judge(configured, {"olena": seen()}, NOW)
    (one,) = checked.findings
    assert (one.path, one.code) == ("/cashiers/1/password", FindingCode.CONFIGURATION_INVALID)
    assert message(one)["en"] == "Каса 2: a mistake in the settings, correct it: env:PETRO is not set"
    assert [cashier.id for cashier in checked.cashiers] == ["olena", "petro"]


def test_the_sentences_of_the_contract_are_word_for_word() -> None:
    """Those of its example."""
    wrong = Finding(
        "/tax_rates/1/code",
        FindingCode.TAX_RATE_MISMATCH,
        {"rate": "7", "code": "4", "checkboxRate": "14", "fittingCode": "2"},
    )
    assert message(wrong) == {
        "uk": "Ставка 7 %: код 4 у Checkbox має 14 %. Для 7 % там код 2",
        "ru": "Ставка 7 %: код 4 в Checkbox имеет 14 %. Для 7 % там код 2",
        "en": "Rate 7 %: code 4 has 14 % at Checkbox. Its code for 7 % is 2",
    }
    lacking = Finding("/tax_rates", FindingCode.TAX_RATE_WITHOUT_ROW, {"rate": "14", "code": "4"})
    assert message(lacking) == {
        "uk": "Checkbox має ставку 14 % (код 4), якої немає в таблиці",
        "ru": "В Checkbox есть ставка 14 % (код 4), которой нет в таблице",
        "en": "Checkbox has the rate 14 % (code 4), which the table lacks",
    }
    expires = Finding("/cashiers/0", FindingCode.KEY_EXPIRES, {"row": "Каса 1", "date": "2026-12-12"})
    assert message(expires) == {
        "uk": "Каса 1: ключ касира діє до 12.12.2026, замовте новий",
        "ru": "Каса 1: ключ кассира действует до 12.12.2026, закажите новый",
        "en": "Каса 1: the cashier's key ends on 12.12.2026, order a new one",
    }


@pytest.mark.parametrize("text", TEXTS.values(), ids=map(str, TEXTS))
def test_each_language_is_that_language(text: str) -> None:
    """Ukrainian has no Russian letters, Russian no Ukrainian ones, English no Cyrillic; one line each."""
    texts = {language: translated(text, language) for language in LANGUAGES}
    assert not set("ёыэъ") & set(texts["uk"].lower())
    assert not set("ґєії") & set(texts["ru"].lower())
    assert not set("абвгдежзийклмнопрстуфхцчшщьюя") & set(texts["en"].lower())
    assert not any("\n" in text for text in texts.values())
    facts = [set(re.findall(r"{(\w+)}", text)) for text in texts.values()]
    assert facts[0] == facts[1] == facts[2]


def test_each_code_has_a_text_and_a_line_of_doctor() -> None:
    assert {code for code, _ in TEXTS} == set(FindingCode)
    assert set(TEXTS) - set(WORDS) == {(FindingCode.CONFIGURATION_INVALID, "")}
