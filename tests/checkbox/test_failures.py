"""The failure table: what each answer of Checkbox means."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from prometheus_client import REGISTRY

from worker.checkbox.endpoints import Endpoint
from worker.checkbox.envelope import RETRY_AFTER_LIMIT, read_envelope
from worker.checkbox.failures import classify, is_sure_none
from worker.checkbox.rules import RULES
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.ports import (
    CashierHasShift,
    ReceiptExists,
    Refusal,
    ShiftExpired,
    ShiftNotOpened,
    TokenRefused,
)
from worker.fiscal.privacy import WORDS_LIMIT, scrub

NOW = 1_780_000_000.0
HTML = "<html><body>Access denied: error code 1010</body></html>"


@dataclass(frozen=True)
class Case:
    """An answer, and the outcome: an exception's class, or the code of a rejection."""

    endpoint: Endpoint
    status: int
    body: Any
    outcome: type[Exception] | Code
    reason: str | None = None
    is_unknown: bool = field(default=False)


def business(code: str | None, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


#: A broken field, as the framework tells of it.
FIELD = {"loc": ["body", "login"], "msg": "Обов'язкове поле не заповнено", "type": "value_error.missing"}

#: One for each row of the table, in its order.
ROWS = [
    Case(Endpoint.SELL, 402, business(None, "Організацію заблоковано за борг"), Code.SUBSCRIPTION_ENDED),
    Case(
        Endpoint.SHIFT_OPEN,
        401,
        business("cash_register.invalid_license_key", "Невірний ключ ліцензії каси"),
        Code.CASHIER_CREDENTIALS_REJECTED,
    ),
    Case(Endpoint.SELL, 403, business(None, "Not authenticated"), Code.CASHIER_CREDENTIALS_REJECTED),
    Case(Endpoint.SIGN_IN, 422, {"detail": [FIELD]}, Code.CASHIER_CREDENTIALS_REJECTED),
    Case(Endpoint.SELL, 401, business("base.credentials", "Could not validate credentials"), TokenRefused),
    Case(Endpoint.SELL, 400, business("shift.opened_too_long", "?"), ShiftExpired),
    Case(Endpoint.SELL, 400, business("shift.not_opened", "Зміну не відкрито"), ShiftNotOpened),
    Case(Endpoint.SHIFT_OPEN, 400, business(None, "Касир вже працює з даною касою"), CashierHasShift),
    Case(Endpoint.SHIFT_OPEN, 400, business(None, "Каса зайнята іншим касиром"), Code.REGISTER_BUSY),
    Case(
        Endpoint.SHIFT_OPEN,
        400,
        business("base.bad_request", "Термін дії ключа закінчився"),
        Code.SHIFT_NOT_OPEN,
        "key_expired",
    ),
    Case(Endpoint.SELL, 400, business("receipt.already_exists", "Вказаний id чеку вже існує"), ReceiptExists),
    Case(
        Endpoint.SELL,
        400,
        business(None, "Недостатньо готівки в касі"),
        Code.RECEIPT_REJECTED,
        "cash_shortage",
    ),
    Case(Endpoint.SELL, 422, business("validation.custom", "Помилка валідації"), Code.RECEIPT_REJECTED),
    Case(Endpoint.SHIFT_OPEN, 422, business("validation.custom", "Помилка валідації"), Code.SHIFT_NOT_OPEN),
    Case(Endpoint.SIGN_IN, 409, business(None, "?"), Code.CASHIER_CREDENTIALS_REJECTED, is_unknown=True),
    Case(Endpoint.RECEIPT, 401, business(None, "?"), TokenRefused, is_unknown=True),
    Case(
        Endpoint.RECEIPT_SEARCH,
        403,
        business("new.code", "?"),
        Code.CASHIER_CREDENTIALS_REJECTED,
        is_unknown=True,
    ),
    Case(Endpoint.SELL, 400, business("new.code", "?"), Code.RECEIPT_REJECTED, is_unknown=True),
    Case(Endpoint.SHIFT_OPEN, 400, business("new.code", "?"), Code.SHIFT_NOT_OPEN, is_unknown=True),
    Case(Endpoint.SHIFT_CLOSE, 400, business(None, "?"), Unavailable, "unknown_refusal", is_unknown=True),
]

#: The same refusals in the other forms that they were met in, or are likely to be.
VARIANTS = [
    Case(Endpoint.SELL, 409, business(None, "Вказаний id чеку вже існує"), ReceiptExists),
    Case(Endpoint.SELL, 400, {"error": business("receipt.already_exists", "")}, ReceiptExists),
    Case(Endpoint.SELL, 400, {"code": "receipt.already_exists"}, ReceiptExists),
    # The return of a chain has no id of ours that could exist.
    Case(
        Endpoint.CHAIN_RETURN,
        400,
        business("receipt.already_exists", ""),
        Code.RECEIPT_REJECTED,
        is_unknown=True,
    ),
    Case(Endpoint.SELL, 401, business(None, "Невірний токен доступу"), TokenRefused),
    Case(Endpoint.SELL, 400, business(None, "Зміну відкрито понад 24 години"), ShiftExpired),
    Case(Endpoint.SELL, 400, business("base.bad_request", "Зміну відкрито понад 24 години"), ShiftExpired),
    Case(Endpoint.SELL, 409, business("shift.too_long", "ЗМІНУ ВІДКРИТО понад 24 год."), ShiftExpired),
    Case(Endpoint.SELL, 422, business("shift.not_opened", "Зміну відкрито понад добу"), ShiftExpired),
    Case(
        Endpoint.SELL,
        400,
        business("base.bad_request", "The shift has been open for more than 24 hours"),
        ShiftExpired,
    ),
    Case(
        Endpoint.SHIFT_OPEN, 400, business(None, "Register is in use by another cashier"), Code.REGISTER_BUSY
    ),
    Case(
        Endpoint.SHIFT_OPEN, 400, business(None, "Cashier already works with this register"), CashierHasShift
    ),
    Case(Endpoint.SHIFT_CLOSE, 400, business(None, "Зміна вже закрита"), ShiftNotOpened),
    Case(
        Endpoint.SELL,
        400,
        business("base.bad_request", "Товар не знайдено"),
        Code.RECEIPT_REJECTED,
        is_unknown=True,
    ),
    Case(
        Endpoint.SHIFT_OPEN,
        400,
        business("base.bad_request", "Термін дії ключа спливає протягом наступної доби"),
        Code.SHIFT_NOT_OPEN,
        is_unknown=True,
    ),
    Case(
        Endpoint.SELL,
        403,
        business(None, "Касиру заборонено продаж"),
        Code.CASHIER_CREDENTIALS_REJECTED,
        is_unknown=True,
    ),
    Case(Endpoint.SIGN_IN, 402, business(None, "Підписка скінчилася"), Code.SUBSCRIPTION_ENDED),
    Case(Endpoint.RECEIPT, 402, business("organization.blocked", "?"), Code.SUBSCRIPTION_ENDED),
    Case(
        Endpoint.CASHIER_TAX,
        402,
        business("organization.blocked", "?"),
        Unavailable,
        "unknown_refusal",
        is_unknown=True,
    ),
    Case(Endpoint.CASHIER_TAX, 403, business(None, "Ні"), Unavailable, "unknown_refusal", is_unknown=True),
    Case(Endpoint.SHIFT_CLOSE, 400, business(None, " Зміну не відкрито"), ShiftNotOpened),
    Case(Endpoint.SHIFT_OPEN, 409, business("x.y", "Касир вже працює з даною касою"), CashierHasShift),
    Case(Endpoint.SHIFT_OPEN, 409, business("x.y", "Каса зайнята іншим касиром"), Code.REGISTER_BUSY),
    Case(
        Endpoint.SIGN_IN_PIN,
        403,
        business("cashier.invalid_credentials", "Невірний пінкод"),
        Code.CASHIER_CREDENTIALS_REJECTED,
    ),
    Case(
        Endpoint.REGISTER_INFO,
        401,
        business(None, "Невірний ключ ліцензії каси"),
        Code.CASHIER_CREDENTIALS_REJECTED,
    ),
    Case(
        Endpoint.SELL,
        404,
        business("receipt.related_not_found", "Чек продажу не знайдено"),
        Code.RECEIPT_REJECTED,
        is_unknown=True,
    ),
    Case(Endpoint.SHIFT, 404, business(None, "Зміну не знайдено"), Unavailable, is_unknown=True),
]

#: Whatever is not Checkbox's own JSON, or not about the request, leaves the outcome unknown.
DOUBTS = [
    (500, HTML, "server_error"),
    (503, business("x", "maintenance"), "server_error"),
    (530, None, "server_error"),
    (403, HTML, "not_checkbox"),
    (404, HTML, "not_checkbox"),
    (400, "", "not_checkbox"),
    (400, None, "not_checkbox"),
    (400, "null", "not_checkbox"),
    (400, "[]", "not_checkbox"),
    (400, "{}", "not_checkbox"),
    (400, '{"code": "receipt.alrea', "not_checkbox"),
    (400, "[" * 100_000, "not_checkbox"),
    (400, b"\xff\xfe\xfd", "not_checkbox"),
    (403, {"cloudflare_error": True, "detail": "banned", "title": "Error 1010"}, "not_checkbox"),
    (301, HTML, "redirect"),
    (304, None, "redirect"),
    (200, HTML, "unreadable_answer"),
    (404, {"detail": "Not Found"}, "not_checkbox"),
    (405, {"detail": "Method Not Allowed"}, "not_checkbox"),
    (429, business(None, "Too Many Requests"), "throttled"),
    (408, business(None, "Request Timeout"), "throttled"),
    (429, HTML, "throttled"),
]


def encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def outcome_of(
    endpoint: Endpoint,
    status: int,
    body: Any,
    headers: dict[str, str] | None = None,
    private: tuple[str, ...] = (),
) -> Exception:
    return classify(endpoint, status, httpx2.Headers(headers or {}), encoded(body), now=NOW, private=private)


def unknown_answers(status: int) -> float:
    return REGISTRY.get_sample_value("fiscal_unknown_answers_total", {"status": str(status)}) or 0.0


@pytest.mark.parametrize("case", [*ROWS, *VARIANTS], ids=lambda case: f"{case.status} {case.body}"[:70])
def test_a_refusal_ends_as_the_table_says(case: Case) -> None:
    """A known refusal has its outcome; an unknown one is a definite no where something was asked for."""
    before = unknown_answers(case.status)
    outcome = outcome_of(case.endpoint, case.status, case.body)
    if isinstance(case.outcome, Code):
        assert isinstance(outcome, Rejected)
        assert outcome.code is case.outcome
    else:
        assert type(outcome) is case.outcome
    if case.reason:
        assert isinstance(outcome, Rejected | Unavailable)
        assert outcome.detail["reason"] == case.reason
    assert unknown_answers(case.status) - before == case.is_unknown


def test_every_row_of_the_table_has_a_test() -> None:
    """Each row is the one that decides exactly one of the cases, in the table's order."""

    def deciding(case: Case) -> int:
        envelope = read_envelope(encoded(case.body))
        assert envelope is not None
        return next(
            index for index, rule in enumerate(RULES) if rule.fits(case.endpoint, case.status, envelope)
        )

    assert [deciding(case) for case in ROWS] == list(range(len(RULES)))


@pytest.mark.parametrize(("status", "body", "reason"), DOUBTS)
@pytest.mark.parametrize("endpoint", [Endpoint.SELL, Endpoint.SIGN_IN, Endpoint.RECEIPT])
def test_a_doubt_is_never_a_no(endpoint: Endpoint, status: int, body: Any, reason: str) -> None:
    """A fault, a page or a cut answer is "don't know", whatever was called."""
    outcome = outcome_of(endpoint, status, body)
    assert isinstance(outcome, Unavailable)
    assert outcome.detail["reason"] == reason
    assert outcome.detail["status"] == status


#: JSON of gateways, proxies, clouds and frameworks, as it is met in the wild.
FOREIGN = [
    {"error": "forbidden"},
    {"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}},
    {"message": "no Route matched with those values"},
    {"message": "no Route matched with those values", "request_id": "b7d5"},
    {"message": "Unauthorized"},
    {"message": "Not Found"},
    {"message": "Forbidden"},
    {"message": "Missing Authentication Token"},
    {"Message": "User is not authorized to access this resource"},
    {"code": 404, "message": "Not Found"},
    {"code": 5, "message": "Not Found", "details": []},
    {"code": "AccessDenied", "message": "Access Denied"},
    {"statusCode": 404, "message": "Resource not found"},
    {"success": False, "errors": [{"code": 1000, "message": "not found"}], "messages": [], "result": None},
    {
        "timestamp": "2026-11-26T10:00:00Z",
        "status": 404,
        "error": "Not Found",
        "path": "/api/v1/receipts/sell",
    },
    {"error_msg": "404 Route Not Found"},
    {"title": "Not Found", "status": 404, "detail": "no upstream", "type": "about:blank"},
    {"detail": "Not Found"},
    {"detail": "Not authenticated"},
    {"detail": ["not an object"]},
    {"detail": []},
]


@pytest.mark.parametrize("body", FOREIGN, ids=lambda body: json.dumps(body)[:60])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 422])
def test_the_json_of_a_gateway_is_never_a_no(status: int, body: Any) -> None:
    """It has not read the request: nothing is refused, no password is wrong, no receipt is surely none."""
    before = unknown_answers(status)
    for endpoint in Endpoint:
        outcome = outcome_of(endpoint, status, body)
        assert isinstance(outcome, Unavailable)
        assert outcome.detail["reason"] == "not_checkbox"
    assert not is_sure_none(status, encoded(body))
    assert unknown_answers(status) == before


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in Endpoint if endpoint.method == "GET"])
@pytest.mark.parametrize(
    "code", ["shift.not_opened", "shift.opened_too_long", "receipt.already_exists", "base.bad_request"]
)
def test_a_read_that_is_refused_in_other_words_is_a_doubt(endpoint: Endpoint, code: str) -> None:
    """They are about a shift or a receipt that was not asked for; of the shift itself they say "none"."""
    outcome = outcome_of(endpoint, 400, business(code, "?"))
    if endpoint is Endpoint.REGISTER_INFO:
        assert isinstance(outcome, Rejected)
    elif (endpoint, code) == (Endpoint.CASHIER_SHIFT, "shift.not_opened"):
        assert isinstance(outcome, ShiftNotOpened)
    else:
        assert isinstance(outcome, Unavailable)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("86400", RETRY_AFTER_LIMIT),
        ("9" * 400, RETRY_AFTER_LIMIT),
        ("Thu, 28 May 2026 20:27:10 GMT", 30.0),
        ("Thu, 28 May 2026 20:26:00 GMT", 0.0),
        ("Thu, 28 May 2027 20:26:00 GMT", RETRY_AFTER_LIMIT),
        ("Thu, 28 May 99999999999 20:26:00 GMT", None),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_and_bounded(status: int, value: str, seconds: float | None) -> None:
    """Seconds or a date are honoured up to ten minutes; anything else counts as not said."""
    outcome = outcome_of(Endpoint.SELL, status, business(None, "later"), {"Retry-After": value})
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "is_none"),
    [
        (404, {"message": "Сталась помилка при запиті до архіву чеків: [not_found#404] Not Found"}, True),
        (404, business(None, "Чек не знайдено"), True),
        (404, business("receipt.not_found", "Чек не знайдено"), True),
        (404, {"message": "An error of the receipts' archive: [not_found#404] Not Found"}, True),
        (404, {"message": "Сталась помилка при запиті до архіву чеків: [timeout#504] Timeout"}, False),
        (404, business(None, "Організацію не знайдено"), False),
        (404, business("cash_register.not_found", "Касу не знайдено"), False),
        (404, business("organization.blocked", "Організацію заблоковано"), False),
        (404, {"detail": "Not Found"}, False),
        (404, {"message": "Not Found"}, False),
        (404, HTML, False),
        (404, "", False),
        (404, "null", False),
        (400, {"message": "Сталась помилка при запиті до архіву чеків: [not_found#404] Not Found"}, False),
        (500, {"message": "Сталась помилка при запиті до архіву чеків: [not_found#404] Not Found"}, False),
    ],
)
def test_only_checkbox_own_404_says_that_there_is_no_receipt(status: int, body: Any, is_none: bool) -> None:
    """A receipt counts as absent only where Checkbox's own JSON says so, with 404."""
    assert is_sure_none(status, encoded(body)) is is_none


def test_a_rejection_carries_checkbox_words_and_errors() -> None:
    """A person reads in the detail what Checkbox said and where the body broke its rules."""
    body = {
        "code": "validation.custom",
        "message": "Помилка валідації",
        "detail": [
            {"loc": ["body", "goods", 0, "price"], "msg": "замале", "type": "x", "input": "secret-input"},
        ],
    }
    outcome = outcome_of(Endpoint.SELL, 422, body)
    assert isinstance(outcome, Rejected)
    assert outcome.detail == {
        "endpoint": "/api/v1/receipts/sell",
        "status": 422,
        "code": "validation.custom",
        "message": "Помилка валідації",
        "errors": [{"path": "body/goods/0/price", "problem": "замале"}],
    }


PRIVATE = (
    "buyer@example.com", "+380671234567", "4149****1234", "030400000001", "A1B2C3", "olena-secret", "4711"
)  # fmt: skip
SECRET_WORDS = [
    "Невірний e-mail BUYER@example.com у чеку",
    "листа на someone.else+x@пошта.укр.example не надіслано",
    "телефон +380671234567",
    "телефон 380671234567",
    "телефон +38 (067) 123-45-67",
    "картка 4149****1234",
    "картка 5168 **** **** 9999",
    "картка 414949******1234",
    "rrn 030400000001, код A1B2C3",
    "пароль olena-secret, пін 4711",
    "токен eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "заголовок Bearer abc.def",
]
LEAKS = (
    "buyer@", "BUYER", "someone.else", "0671234567", "067", "45-67", "1234", "9999", "030400000001",
    "A1B2C3", "olena-secret", "4711", "eyJ", "c2lnbmF0dXJl", "abc.def",
)  # fmt: skip


@pytest.mark.parametrize("words", SECRET_WORDS)
def test_secrets_in_checkbox_words_are_hidden(words: str) -> None:
    """What Checkbox repeats of the buyer, the card or the cashier reaches no detail, in any part of it."""
    body = {"code": None, "message": words, "detail": [{"loc": ["body", words], "msg": words, "type": "x"}]}
    outcome = outcome_of(Endpoint.SELL, 422, body, private=PRIVATE)
    assert isinstance(outcome, Rejected)
    told = json.dumps(dict(outcome.detail), ensure_ascii=False)
    assert not [leak for leak in LEAKS if leak in told]
    assert "***" in told


def test_secrets_are_hidden_in_the_words_of_a_refusal() -> None:
    """A refusal that the core goes on from is scrubbed like a verdict."""
    outcome = outcome_of(
        Endpoint.SELL, 400, business("shift.not_opened", "Зміну не відкрито: a@b.ua"), private=PRIVATE
    )
    assert isinstance(outcome, Refusal)
    assert outcome.words == "Зміну не відкрито: ***"


def test_plain_words_stay_as_they_are() -> None:
    """Prices, codes, dates and ids of Checkbox's are no secrets."""
    words = "Товар SKU-1 (2 x 150.00): сума 300.00 не дорівнює 299.99; зміна 17, 24.11.2026"
    assert scrub(words, ("", "a", "4711")) == words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Касу 4000000001 заблоковано", "Касу 4000000001 заблоковано"),
        ("зміна 17 на касі 4001234567 2026", "зміна 17 на касі 4001234567 2026"),
        ("каса 4000000001, тел. 0671234567", "каса 4000000001, тел. ***"),
        ("+380671234567 4000000001 0671234567", "*** 4000000001 ***"),
        ("rrn 400000000123", "rrn ***"),
        ("+4000000001", "***"),
        ("податковий номер 3184710691", "податковий номер ***"),
    ],
)
def test_a_registers_fiscal_number_stays_readable(words: str, told: str) -> None:
    """A person has to know which register is meant; what else has ten digits may be somebody's."""
    assert scrub(words) == told


def test_a_phone_of_this_request_is_hidden_even_where_it_looks_like_a_register() -> None:
    """Exact values come first."""
    assert scrub("номер 4000000001", ("4000000001",)) == "номер ***"


def test_words_are_bounded() -> None:
    """However long an answer is, only its beginning is passed on."""
    assert len(scrub("ж" * 100_000)) == WORDS_LIMIT
