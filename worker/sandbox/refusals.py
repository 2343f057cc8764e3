"""Refusals, with the bodies seen at the real Checkbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.sandbox.options import Options


class Refusal(Exception):
    """An answer with an error status and a JSON body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = body


def business(status: int, code: str | None, message: str) -> Refusal:
    return Refusal(status, {"code": code, "message": message})


def invalid(detail: list[dict[str, Any]]) -> Refusal:
    return Refusal(422, {"code": "validation.custom", "message": "Помилка валідації", "detail": detail})


def not_authenticated() -> Refusal:
    return Refusal(403, {"message": "Not authenticated", "code": None})


def bad_token() -> Refusal:
    return business(401, "base.credentials", "Could not validate credentials")


def wrong_password() -> Refusal:
    return business(403, "cashier.invalid_credentials", "Невірний логін або пароль")


def wrong_pin_code() -> Refusal:
    return business(403, "cashier.invalid_credentials", "Невірний пінкод")


def wrong_license_key() -> Refusal:
    return business(401, "cash_register.invalid_license_key", "Невірний ключ ліцензії каси")


def license_key_missing() -> Refusal:
    return invalid(
        [
            {
                "loc": ["header", "X-License-Key"],
                "msg": "Обов'язкове поле не заповнено",
                "type": "value_error.missing",
            }
        ]
    )


def shift_not_opened() -> Refusal:
    return business(400, "shift.not_opened", "Зміну не відкрито")


def shift_open_over_24h(options: Options) -> Refusal:
    """ASSUMED A1: the message is known to begin with «Зміну відкрито понад»."""
    message = _in(options, "Зміну відкрито понад 24 години", "Shift has been open for more than 24 hours")
    return business(options.over_24h_status, options.over_24h_code, message)


def cashier_has_shift(options: Options) -> Refusal:
    """ASSUMED A2: the code."""
    message = _in(options, "Касир вже працює з даною касою", "Cashier already works with this cash register")
    return business(options.busy_status, options.cashier_has_shift_code, message)


def register_busy(options: Options) -> Refusal:
    """ASSUMED A2: the code."""
    message = _in(options, "Каса зайнята іншим касиром", "Cash register is in use by another cashier")
    return business(options.busy_status, options.register_busy_code, message)


def _in(options: Options, ukrainian: str, english: str) -> str:
    return english if options.language == "en" else ukrainian


def auto_close_not_today() -> Refusal:
    message = "Дата закриття може бути лише в рамках поточного дня!"
    return invalid([{"loc": ["body", "auto_close_at"], "msg": message, "type": "value_error"}])


def another_outlet() -> Refusal:
    """ASSUMED: the text; only the rule that cashier and register belong to one outlet is known."""
    return business(400, None, "Касир не має доступу до даної каси")


def another_client() -> Refusal:
    """ASSUMED: the text; only ``skip_client_name_check`` is known."""
    return business(400, None, "Зміну відкрито іншим клієнтом")


def unfinished_receipts() -> Refusal:
    """ASSUMED A10."""
    return business(400, None, "Зміна має незавершені чеки")


def receipt_exists() -> Refusal:
    return business(400, "receipt.already_exists", "Вказаний id чеку вже існує")


def receipt_not_found() -> Refusal:
    message = "Сталась помилка при запиті до архіву чеків: [not_found#404] Not Found"
    return Refusal(404, {"message": message})


def not_found(what: str) -> Refusal:
    """ASSUMED: the answer to an unknown shift, transaction or register was not seen."""
    return business(404, None, f"{what} не знайдено")


def total_sum_disabled() -> Refusal:
    message = "У організації вимкнено розрахунок вартості товару від суми"
    return business(400, "organization.option_disabled", message)


def underpayment(options: Options) -> Refusal:
    """ASSUMED A3."""
    message = "Сума оплати менша за суму чека"
    if options.underpayment_status == 422:
        return invalid([{"loc": ["body", "payments"], "msg": message, "type": "value_error"}])
    return business(options.underpayment_status, options.underpayment_code, message)


def card_overpayment() -> Refusal:
    """ASSUMED: the text."""
    return business(400, None, "Сума безготівкової оплати перевищує суму чека")


def negative_total() -> Refusal:
    """ASSUMED: the text."""
    return business(400, None, "Знижка перевищує суму чека")


def mixed_return() -> Refusal:
    """ASSUMED: a receipt mixing sale and return lines is refused."""
    return business(400, None, "Чек не може містити одночасно продаж та повернення")


def unknown_tax(options: Options, code: object) -> Refusal:
    """ASSUMED A9."""
    message = f"Податкову ставку {code} не знайдено"
    if options.unknown_tax_status == 422:
        return invalid([{"loc": ["body", "goods"], "msg": message, "type": "value_error"}])
    return business(400, None, message)


def till_short() -> Refusal:
    """ASSUMED: the text; only the rule that a cash return needs enough cash is known."""
    return business(400, None, "Недостатньо готівки в касі")


def previous_receipt_differs() -> Refusal:
    message = "id попереднього чека відрізняється від останнього збереженого чека"
    return business(400, "receipt.previous_id_last_id_differs", message)


def should_be_offline() -> Refusal:
    message = "Cash register should be in manual offline mode!"
    return business(400, "cash_register.should_be_offline", message)


def fiscal_date_before_shift(opened_at: str) -> Refusal:
    message = f"Час фіскалізації чека повинен бути більше ніж час відкриття зміни ({opened_at})"
    return business(400, "date.fiscal_date_logic", message)


def wrong_register_type() -> Refusal:
    """ASSUMED: code and text; the status is known."""
    return business(400, "base.bad_request", "Операція недоступна для даного типу каси")


def no_offline_codes() -> Refusal:
    """ASSUMED: an offline register without codes refuses receipts."""
    return business(400, None, "Немає доступних офлайн кодів")


def subscription_ended() -> Refusal:
    """ASSUMED: code and text; only that Checkbox blocks debtors was reported."""
    return business(402, None, "Підписка скінчилася")


def key_expired() -> Refusal:
    """ASSUMED: status and code; the words were reported."""
    return business(400, "base.bad_request", "Термін дії ключа закінчився")


def offline_code_used(fiscal_code: str) -> Refusal:
    """The code of this refusal is unknown."""
    return business(400, None, f"Offline code '{fiscal_code}' was used before!")


def relation_exists(options: Options) -> Refusal:
    """ASSUMED A12: code and text; known is that a repeat is refused, also after a return."""
    return business(400, options.relation_exists_code, "Передплата з таким ідентифікатором вже існує")


def payment_repeated() -> Refusal:
    """ASSUMED A12: where the repeat of a payment's id is not answered as that of a sale."""
    return business(400, None, "Оплату вже зареєстровано")


def advance_not_less() -> Refusal:
    """ASSUMED A12: the text; known is that an advance is strictly less than the total."""
    return business(400, None, "Сума передплати має бути менша за суму замовлення")


def more_than_left() -> Refusal:
    """ASSUMED A12: the text."""
    return business(400, None, "Сума перевищує залишок до сплати")


def chain_closed() -> Refusal:
    """ASSUMED A12: the text."""
    return business(400, None, "Передплату вже закрито або повернено")
