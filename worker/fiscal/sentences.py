"""What the person who pressed the button reads: what happened, and what to do.

Where a receipt was made but has no number yet, the sentence says so, and never that nothing was sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code

#: The same sentence by language: uk, ru, en.
Sentence = Mapping[str, str]


class Outcome(StrEnum):
    """What an event tells; the values are the ends of its type and routing key."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DELAYED = "delayed"


class Circumstance(StrEnum):
    """What changes the sentence of a code."""

    #: A receipt was made and waits for its fiscal number.
    RECEIPT_MADE = "receipt_made"
    #: It was Bimp that did not answer whether the order is archived.
    ARCHIVE_CHECK = "archive_check"
    #: A return in cash for which there is too little in the till.
    CASH_SHORT = "cash_short"
    #: A shift cannot be opened because the cashier's signing key has come to its end.
    KEY_EXPIRED = "key_expired"


def sentence(
    outcome: Outcome,
    code: Code | None = None,
    operation: Operation | None = None,
    circumstance: Circumstance | None = None,
) -> Sentence:
    """The sentence for an outcome: the most particular one there is."""
    if outcome is Outcome.SUCCEEDED or code is None:
        return _SUCCEEDED
    if outcome is Outcome.DELAYED:
        return _DELAYED_UNDER.get(circumstance) or _DELAYED.get(code, _DELAYED_OTHERWISE)
    failed = _FAILED_UNDER.get((code, circumstance))
    return failed or (_FAILED_RETURN.get(code) if operation is Operation.RETURN else None) or _FAILED[code]


def _in(uk: str, ru: str, en: str) -> Sentence:
    return {"uk": uk, "ru": ru, "en": en}


_SUCCEEDED = _in("Замовлення фіскалізовано", "Заказ фискализирован", "Order fiscalized")

_DELAYED: Mapping[Code, Sentence] = {
    Code.CHECKBOX_UNAVAILABLE: _in(
        "Checkbox не відповідає, спробу буде повторено",
        "Checkbox не отвечает, попытка будет повторена",
        "Checkbox does not answer, it will be tried again",
    ),
}
_DELAYED_OTHERWISE = _in(
    "Фіскалізація затримується, спробу буде повторено",
    "Фискализация задерживается, попытка будет повторена",
    "Fiscalization is delayed, it will be tried again",
)
_DELAYED_UNDER: Mapping[Circumstance | None, Sentence] = {
    Circumstance.RECEIPT_MADE: _in(
        "Чек створено, але він ще не має фіскального номера: очікуємо на нього, нового чека не потрібно",
        "Чек создан, но у него ещё нет фискального номера: ожидаем его, новый чек не нужен",
        "The receipt is made but has no fiscal number yet: we are waiting for it, no new receipt is needed",
    ),
    Circumstance.ARCHIVE_CHECK: _in(
        "Bimp не відповідає, чи замовлення не в архіві, спробу буде повторено",
        "Bimp не отвечает, не в архиве ли заказ, попытка будет повторена",
        "Bimp does not answer whether the order is archived, it will be tried again",
    ),
}

_FAILED: Mapping[Code, Sentence] = {
    Code.INVALID_MESSAGE: _in(
        "Замовлення надійшло на фіскалізацію з помилкою в даних, зверніться до підтримки Bimp",
        "Заказ поступил на фискализацию с ошибкой в данных, обратитесь в поддержку Bimp",
        "The order came with an error in its data: contact the support of Bimp",
    ),
    Code.UNKNOWN_INTEGRATION: _in(
        "Вибрану інтеграцію не налаштовано для фіскалізації: виберіть іншу або зверніться до адміністратора",
        "Выбранная интеграция не настроена для фискализации: выберите другую или обратитесь к администратору",
        "The chosen integration is not set up: choose another one or ask the administrator",
    ),
    Code.UNKNOWN_CASHIER: _in(
        "Вибраного касира не налаштовано в інтеграції: виберіть іншого або зверніться до адміністратора",
        "Выбранный кассир не настроен в интеграции: выберите другого или обратитесь к администратору",
        "The chosen cashier is not set up in the integration: choose another one or ask the administrator",
    ),
    Code.ORDER_ARCHIVED: _in(
        "Замовлення в архіві, чек не створено: поверніть його з архіву та спробуйте ще раз",
        "Заказ в архиве, чек не создан: верните его из архива и попробуйте ещё раз",
        "The order is archived and has no receipt: take it out of the archive and try again",
    ),
    Code.CURRENCY_NOT_SUPPORTED: _in(
        "Чек видають лише у гривні: змініть валюту замовлення та спробуйте ще раз",
        "Чек выдают только в гривне: измените валюту заказа и попробуйте ещё раз",
        "Receipts are issued in hryvnias only: change the order's currency and try again",
    ),
    Code.TOTALS_MISMATCH: _in(
        "Суми замовлення не сходяться: перевірте товари, знижки, підсумок та оплату",
        "Суммы заказа не сходятся: проверьте товары, скидки, итог и оплату",
        "The order does not add up: check its lines, discounts, total and payments",
    ),
    Code.TAX_RATE_NOT_MAPPED: _in(
        "Ставку податку товару не налаштовано в інтеграції: виправте ставку або зверніться до адміністратора",
        "Ставка налога товара не настроена в интеграции: исправьте ставку или обратитесь к администратору",
        "A tax rate of the order is not set up in the integration: correct it or ask the administrator",
    ),
    Code.CASHIER_CREDENTIALS_REJECTED: _in(
        "Checkbox не прийняв логін, пароль, PIN-код або ключ ліцензії касира: перевірте їх в інтеграції",
        "Checkbox не принял логин, пароль, PIN-код или ключ лицензии кассира: проверьте их в интеграции",
        "Checkbox refused the cashier's login, password, PIN or licence key: check them in the integration",
    ),
    Code.SUBSCRIPTION_ENDED: _in(
        "Checkbox не обслуговує організацію: підписка скінчилася або є борг, сплатіть його в Checkbox",
        "Checkbox не обслуживает организацию: подписка закончилась или есть долг, оплатите в Checkbox",
        "Checkbox has suspended this organization: the subscription has ended or a debt is due, pay it there",
    ),
    Code.WRONG_REGISTER: _in(
        "Зміну касира відкрито на іншій касі, ніж в інтеграції: закрийте її або виправте ключ ліцензії",
        "Смена кассира открыта на другой кассе, чем указано в интеграции: закройте её или исправьте ключ",
        "The cashier's shift is open at another register than the integration names: close it or fix the key",
    ),
    Code.SHIFT_NOT_OPEN: _in(
        "Зміну касира не відкрито: відкрийте її в Checkbox та спробуйте ще раз",
        "Смена кассира не открыта: откройте её в Checkbox и попробуйте ещё раз",
        "The cashier's shift is not open: open it in Checkbox and try again",
    ),
    Code.SHIFT_OPEN_OVER_24H: _in(
        "Зміну відкрито понад 24 години тому, для продовження роботи закрийте діючу зміну та відкрийте нову",
        "Смена открыта более 24 часов назад, для продолжения работы закройте действующую смену "
        "и откройте новую",
        "The shift was opened more than 24 hours ago: close it and open a new one to go on",
    ),
    Code.REGISTER_BUSY: _in(
        "На касі відкрито зміну іншого касира: закрийте її або виберіть цього касира",
        "На кассе открыта смена другого кассира: закройте её или выберите этого кассира",
        "Another cashier's shift is open on the register: close it or choose that cashier",
    ),
    Code.RECEIPT_MISMATCH: _in(
        "За цим замовленням уже є чек з іншою сумою або товарами: оформіть його повернення, якщо він хибний",
        "По этому заказу уже есть чек с другой суммой или товарами: оформите его возврат, если он ошибочен",
        "This order has a receipt with another total or other goods: return it if it is wrong",
    ),
    Code.RECEIPT_RETURNED: _in(
        "Продаж за цим замовленням повернуто повністю, нового чека немає: щоб продати знову, підтвердьте це",
        "Продажа по этому заказу возвращена полностью, новый чек не создан: чтобы продать снова, подтвердите",
        "The sale of this order was returned in full, no new receipt was made: confirm to sell it again",
    ),
    Code.RETURN_WITHOUT_SALE: _in(
        "Повернення неможливе: немає чека продажу або повертається більше, ніж продано",
        "Возврат невозможен: нет чека продажи или возвращается больше, чем продано",
        "The return is not possible: there is no receipt of the sale, or more is returned than was sold",
    ),
    Code.RECEIPT_REJECTED: _in(
        "Чек не прийнято Checkbox або податковою: виправте причину з подробиць та спробуйте ще раз",
        "Чек не принят Checkbox или налоговой: исправьте причину из подробностей и попробуйте ещё раз",
        "Checkbox or the tax service refused the receipt: mend what the details name and try again",
    ),
    Code.CHECKBOX_UNAVAILABLE: _in(
        "Checkbox не відповідає, чек не підтверджено: спробуйте пізніше, другого чека не буде",
        "Checkbox не отвечает, чек не подтверждён: попробуйте позже, второго чека не будет",
        "Checkbox does not answer, the receipt is not confirmed: try later, there will be no second one",
    ),
    Code.INTERNAL_ERROR: _in(
        "Помилка сервісу фіскалізації: зверніться до адміністратора",
        "Ошибка сервиса фискализации: обратитесь к администратору",
        "A fault of the fiscalization service: ask the administrator",
    ),
}

_FAILED_RETURN: Mapping[Code, Sentence] = {
    Code.INVALID_MESSAGE: _in(
        "Повернення надійшло на фіскалізацію з помилкою в даних, зверніться до підтримки Bimp",
        "Возврат поступил на фискализацию с ошибкой в данных, обратитесь в поддержку Bimp",
        "The return came with an error in its data: contact the support of Bimp",
    ),
    Code.ORDER_ARCHIVED: _in(
        "Документ повернення в архіві, чек не створено: поверніть його з архіву та спробуйте ще раз",
        "Документ возврата в архиве, чек не создан: верните его из архива и попробуйте ещё раз",
        "The return is archived and has no receipt: take it out of the archive and try again",
    ),
    Code.CURRENCY_NOT_SUPPORTED: _in(
        "Чек видають лише у гривні: змініть валюту повернення та спробуйте ще раз",
        "Чек выдают только в гривне: измените валюту возврата и попробуйте ещё раз",
        "Receipts are issued in hryvnias only: change the return's currency and try again",
    ),
    Code.TOTALS_MISMATCH: _in(
        "Суми повернення не сходяться: перевірте товари, знижки, підсумок та виплату",
        "Суммы возврата не сходятся: проверьте товары, скидки, итог и выплату",
        "The return does not add up: check its lines, discounts, total and payments",
    ),
    Code.TAX_RATE_NOT_MAPPED: _in(
        "Ставку податку товару не налаштовано в інтеграції: виправте ставку або зверніться до адміністратора",
        "Ставка налога товара не настроена в интеграции: исправьте ставку или обратитесь к администратору",
        "A tax rate of the return is not set up in the integration: correct it or ask the administrator",
    ),
    Code.RECEIPT_MISMATCH: _in(
        "За цим поверненням уже є чек з іншою сумою або товарами: зверніться до бухгалтера",
        "По этому возврату уже есть чек с другой суммой или товарами: обратитесь к бухгалтеру",
        "This return has a receipt with another total or other goods: ask the accountant",
    ),
    Code.RECEIPT_REJECTED: _in(
        "Чек повернення не прийнято Checkbox або податковою: виправте причину з подробиць "
        "та спробуйте ще раз",
        "Чек возврата не принят Checkbox или налоговой: исправьте причину из подробностей "
        "и попробуйте ещё раз",
        "Checkbox or the tax service refused the return: mend what the details name and try again",
    ),
}

_FAILED_UNDER: Mapping[tuple[Code, Circumstance | None], Sentence] = {
    (Code.CHECKBOX_UNAVAILABLE, Circumstance.RECEIPT_MADE): _in(
        "Чек створено, але фіскального номера він досі не має: спробуйте пізніше, другого чека не буде",
        "Чек создан, но фискального номера у него до сих пор нет: попробуйте позже, второго чека не будет",
        "The receipt is made but still has no fiscal number: try later, there will be no second one",
    ),
    (Code.CHECKBOX_UNAVAILABLE, Circumstance.ARCHIVE_CHECK): _in(
        "Bimp не відповів, чи замовлення не в архіві, чек не створено: спробуйте пізніше",
        "Bimp не ответил, не в архиве ли заказ, чек не создан: попробуйте позже",
        "Bimp did not answer whether the order is archived, no receipt was made: try later",
    ),
    (Code.RECEIPT_REJECTED, Circumstance.CASH_SHORT): _in(
        "У касі замало готівки для повернення: внесіть готівку в Checkbox та спробуйте ще раз",
        "В кассе мало наличных для возврата: внесите наличные в Checkbox и попробуйте ещё раз",
        "There is too little cash in the till for the return: put some in in Checkbox and try again",
    ),
    (Code.SHIFT_NOT_OPEN, Circumstance.KEY_EXPIRED): _in(
        "Зміну не відкрито: термін дії ключа (КЕП) касира закінчився, оновіть ключ у Checkbox",
        "Смена не открыта: срок действия ключа (КЭП) кассира истёк, обновите ключ в Checkbox",
        "The shift was not opened: the cashier's signing key has expired, renew it in Checkbox",
    ),
}
