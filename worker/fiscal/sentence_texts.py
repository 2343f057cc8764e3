"""The words of ``sentences``, in the three languages of Bimp's users. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code
from worker.fiscal.reasons import Reason

#: The same sentence by language: uk, ru, en.
Sentence = Mapping[str, str]


def in_each(uk: str, ru: str, en: str) -> Sentence:
    """A text in each language."""
    return {"uk": uk, "ru": ru, "en": en}


#: Given by the contract, like that of SHIFT_OPEN_OVER_24H.
SUCCEEDED = in_each("Замовлення фіскалізовано", "Заказ фискализирован", "Order fiscalized")

DELAYED = in_each(
    "Checkbox не відповідає, спробу буде повторено",
    "Checkbox не отвечает, попытка будет повторена",
    "Checkbox is not responding; we will try again",
)
DELAYED_WITH_RECEIPT = in_each(
    "Чек створено, але він ще не має фіскального номера: очікуємо на нього, нового чека не потрібно",
    "Чек создан, но у него ещё нет фискального номера: ожидаем его, новый чек не нужен",
    "The receipt is made but has no fiscal number yet: we are waiting for it, no new receipt is needed",
)
DELAYED_BY_ARCHIVE_CHECK = in_each(
    "Bimp не відповідає, чи замовлення не в архіві, спробу буде повторено",
    "Bimp не отвечает, не в архиве ли заказ, попытка будет повторена",
    "Bimp is not responding whether the order is archived; we will try again",
)

#: Stands before the sentence of any code where a receipt was made.
RECEIPT_MADE: Mapping[Operation | None, Sentence] = {
    None: in_each(
        "Чек уже створено, нового не потрібно. ",
        "Чек уже создан, новый не нужен. ",
        "The receipt is already made, no new one is needed. ",
    ),
    Operation.RETURN: in_each(
        "Чек повернення вже створено, нового не потрібно. ",
        "Чек возврата уже создан, новый не нужен. ",
        "The receipt of the return is already made, no new one is needed. ",
    ),
}
#: Sentences of their own where a receipt was made.
FAILED_WITH_RECEIPT: Mapping[Code, Sentence] = {
    Code.CHECKBOX_UNAVAILABLE: in_each(
        "Чек створено, але фіскального номера він досі не має: спробуйте пізніше, другого чека не буде",
        "Чек создан, но фискального номера у него до сих пор нет: попробуйте позже, второго чека не будет",
        "The receipt is made but still has no fiscal number: try later, there will be no second one",
    ),
}

FAILED: Mapping[Code, Sentence] = {
    Code.INVALID_MESSAGE: in_each(
        "Замовлення надійшло на фіскалізацію з помилкою в даних, зверніться до підтримки Bimp",
        "Заказ поступил на фискализацию с ошибкой в данных, обратитесь в поддержку Bimp",
        "The order came with an error in its data: contact Bimp support",
    ),
    Code.UNKNOWN_INTEGRATION: in_each(
        "Вибрану інтеграцію не налаштовано для фіскалізації: виберіть іншу або зверніться до адміністратора",
        "Выбранная интеграция не настроена для фискализации: выберите другую или обратитесь к администратору",
        "The chosen integration is not set up: choose another one or ask the administrator",
    ),
    Code.UNKNOWN_CASHIER: in_each(
        "Вибраного касира не налаштовано в інтеграції: виберіть іншого або зверніться до адміністратора",
        "Выбранный кассир не настроен в интеграции: выберите другого или обратитесь к администратору",
        "The chosen cashier is not set up in the integration: choose another one or ask the administrator",
    ),
    Code.CONFIGURATION_INVALID: in_each(
        "У налаштуваннях інтеграції або касира є помилка: виправте її та спробуйте ще раз",
        "В настройках интеграции или кассира есть ошибка: исправьте её и попробуйте ещё раз",
        "The settings of the integration or cashier have a mistake: correct it and try again",
    ),
    Code.ORDER_ARCHIVED: in_each(
        "Замовлення в архіві: поверніть його з архіву та спробуйте ще раз",
        "Заказ в архиве: верните его из архива и попробуйте ещё раз",
        "The order is archived: take it out of the archive and try again",
    ),
    Code.CURRENCY_NOT_SUPPORTED: in_each(
        "Чек видають лише у гривні: змініть валюту замовлення та спробуйте ще раз",
        "Чек выдают только в гривне: измените валюту заказа и попробуйте ещё раз",
        "Receipts are issued in hryvnias only: change the order's currency and try again",
    ),
    Code.TOTALS_MISMATCH: in_each(
        "Суми замовлення не сходяться: перевірте товари, знижки, підсумок та оплату",
        "Суммы заказа не сходятся: проверьте товары, скидки, итог и оплату",
        "The order does not add up: check its lines, discounts, total and payments",
    ),
    Code.TAX_RATE_NOT_MAPPED: in_each(
        "Ставку податку товару не налаштовано в інтеграції: виправте ставку або зверніться до адміністратора",
        "Ставка налога товара не настроена в интеграции: исправьте ставку или обратитесь к администратору",
        "A tax rate of the order is not set up in the integration: correct it or ask the administrator",
    ),
    Code.TAX_RATE_MISMATCH: in_each(
        "Код податку з інтеграції має в Checkbox іншу ставку: виправте його в інтеграції та спробуйте ще раз",
        "Код налога из интеграции имеет в Checkbox другую ставку: исправьте его в интеграции и повторите",
        "Checkbox has another rate under the integration's tax code: correct the code and try again",
    ),
    Code.CASHIER_CREDENTIALS_REJECTED: in_each(
        "Checkbox не прийняв логін, пароль, PIN-код або ключ ліцензії касира: перевірте їх в інтеграції",
        "Checkbox не принял логин, пароль, PIN-код или ключ лицензии кассира: проверьте их в интеграции",
        "Checkbox refused the cashier's login, password, PIN or licence key: check them in the integration",
    ),
    Code.SUBSCRIPTION_ENDED: in_each(
        "Checkbox не обслуговує організацію: підписка скінчилася або є борг, сплатіть його в Checkbox",
        "Checkbox не обслуживает организацию: подписка закончилась или есть долг, оплатите в Checkbox",
        "Checkbox has suspended this organization: the subscription has ended or a debt is due, pay it there",
    ),
    Code.WRONG_REGISTER: in_each(
        "Зміну касира відкрито на іншій касі, ніж в інтеграції: закрийте її або виправте ключ ліцензії",
        "Смена кассира открыта на другой кассе, чем указано в интеграции: закройте её или исправьте ключ",
        "The cashier's shift is open at another register than the integration names: close it or fix the key",
    ),
    Code.SHIFT_NOT_OPEN: in_each(
        "Зміну касира не відкрито: відкрийте її в Checkbox та спробуйте ще раз",
        "Смена кассира не открыта: откройте её в Checkbox и попробуйте ещё раз",
        "The cashier's shift is not open: open it in Checkbox and try again",
    ),
    Code.SHIFT_OPEN_OVER_24H: in_each(
        "Зміну відкрито понад 24 години тому, для продовження роботи закрийте діючу зміну та відкрийте нову",
        "Смена открыта более 24 часов назад, для продолжения работы закройте действующую смену "
        "и откройте новую",
        "The shift was opened more than 24 hours ago: close it and open a new one to go on",
    ),
    Code.REGISTER_BUSY: in_each(
        "На касі відкрито зміну іншого касира: закрийте її або виберіть цього касира",
        "На кассе открыта смена другого кассира: закройте её или выберите этого кассира",
        "Another cashier's shift is open on the register: close it or choose that cashier",
    ),
    Code.RECEIPT_MISMATCH: in_each(
        "За цим замовленням уже є чек з іншою сумою або товарами: оформіть його повернення, якщо він хибний",
        "По этому заказу уже есть чек с другой суммой или товарами: оформите его возврат, если он ошибочен",
        "This order has a receipt with another total or other goods: return it if it is wrong",
    ),
    Code.RECEIPT_RETURNED: in_each(
        "Чек цього замовлення повернуто повністю, нового не створено; щоб продати його знову, підтвердьте "
        "повторний продаж",
        "Чек этого заказа возвращён полностью, новый не создан; чтобы продать его снова, подтвердите "
        "повторную продажу",
        "The receipt of this order was returned in full and no new one was made; confirm a repeated sale "
        "to sell it again",
    ),
    Code.PREPAYMENT_MISMATCH: in_each(
        "Оплата не відповідає передплаті за замовленням: перевірте суми та спробуйте ще раз",
        "Оплата не соответствует предоплате по заказу: проверьте суммы и попробуйте ещё раз",
        "The payment does not fit the order's prepayment: check the sums and try again",
    ),
    Code.RETURN_WITHOUT_SALE: in_each(
        "Повернення неможливе: немає чека продажу або повертається більше, ніж продано",
        "Возврат невозможен: нет чека продажи или возвращается больше, чем продано",
        "The return is not possible: there is no receipt of the sale, or more is returned than was sold",
    ),
    Code.RECEIPT_REJECTED: in_each(
        "Чек не прийнято Checkbox або податковою: усуньте причину та спробуйте ще раз",
        "Чек не принят Checkbox или налоговой: устраните причину и попробуйте ещё раз",
        "Checkbox or the tax service refused the receipt: fix the cause and try again",
    ),
    Code.CHECKBOX_UNAVAILABLE: in_each(
        "Checkbox не відповідає, чек не підтверджено: спробуйте пізніше, другого чека не буде",
        "Checkbox не отвечает, чек не подтверждён: попробуйте позже, второго чека не будет",
        "Checkbox is not responding, the receipt is not confirmed: try later, there will be no second one",
    ),
    Code.INTERNAL_ERROR: in_each(
        "Помилка сервісу фіскалізації: зверніться до адміністратора",
        "Ошибка сервиса фискализации: обратитесь к администратору",
        "Internal error in the fiscalization service: contact your administrator",
    ),
}

FAILED_RETURN: Mapping[Code, Sentence] = {
    Code.INVALID_MESSAGE: in_each(
        "Повернення надійшло на фіскалізацію з помилкою в даних, зверніться до підтримки Bimp",
        "Возврат поступил на фискализацию с ошибкой в данных, обратитесь в поддержку Bimp",
        "The return came with an error in its data: contact Bimp support",
    ),
    Code.ORDER_ARCHIVED: in_each(
        "Документ повернення в архіві: поверніть його з архіву та спробуйте ще раз",
        "Документ возврата в архиве: верните его из архива и попробуйте ещё раз",
        "The return is archived: take it out of the archive and try again",
    ),
    Code.CURRENCY_NOT_SUPPORTED: in_each(
        "Чек видають лише у гривні: змініть валюту повернення та спробуйте ще раз",
        "Чек выдают только в гривне: измените валюту возврата и попробуйте ещё раз",
        "Receipts are issued in hryvnias only: change the return's currency and try again",
    ),
    Code.TOTALS_MISMATCH: in_each(
        "Суми повернення не сходяться: перевірте товари, знижки, підсумок та виплату",
        "Суммы возврата не сходятся: проверьте товары, скидки, итог и выплату",
        "The return does not add up: check its lines, discounts, total and payments",
    ),
    Code.TAX_RATE_NOT_MAPPED: in_each(
        "Ставку податку товару не налаштовано в інтеграції: виправте ставку або зверніться до адміністратора",
        "Ставка налога товара не настроена в интеграции: исправьте ставку или обратитесь к администратору",
        "A tax rate of the return is not set up in the integration: correct it or ask the administrator",
    ),
    Code.RECEIPT_MISMATCH: in_each(
        "За цим поверненням уже є чек з іншою сумою або товарами: зверніться до бухгалтера",
        "По этому возврату уже есть чек с другой суммой или товарами: обратитесь к бухгалтеру",
        "This return has a receipt with another total or other goods: ask the accountant",
    ),
    Code.RECEIPT_REJECTED: in_each(
        "Чек повернення не прийнято Checkbox або податковою: усуньте причину та спробуйте ще раз",
        "Чек возврата не принят Checkbox или налоговой: устраните причину и попробуйте ещё раз",
        "Checkbox or the tax service refused the return: fix the cause and try again",
    ),
}

#: By the ``service`` or the ``reason`` in a verdict's detail.
FAILED_FOR: Mapping[tuple[Code, str], Sentence] = {
    (Code.CHECKBOX_UNAVAILABLE, Reason.ARCHIVE_CHECK): in_each(
        "Bimp не відповів, чи замовлення не в архіві: спробуйте пізніше",
        "Bimp не ответил, не в архиве ли заказ: попробуйте позже",
        "Bimp did not answer whether the order is archived: try later",
    ),
    (Code.RECEIPT_REJECTED, Reason.CASH_SHORTAGE): in_each(
        "У касі замало готівки для повернення: внесіть готівку в Checkbox та спробуйте ще раз",
        "В кассе мало наличных для возврата: внесите наличные в Checkbox и попробуйте ещё раз",
        "Not enough cash in the till for this refund: add cash in Checkbox and try again",
    ),
    (Code.SHIFT_NOT_OPEN, Reason.KEY_EXPIRED): in_each(
        "Зміну не відкрито: термін дії ключа (КЕП) касира закінчився, оновіть ключ у Checkbox",
        "Смена не открыта: срок действия ключа (КЭП) кассира истёк, обновите ключ в Checkbox",
        "The shift was not opened: the cashier's signing key has expired, renew it in Checkbox",
    ),
}
#: Where no comparison is possible: Checkbox has a receipt, but does not show it or whose it is.
RECEIPT_NOT_SHOWN = in_each(
    "Checkbox має чек, який може бути чеком цього документа, але не показує його: знайдіть його в Checkbox",
    "В Checkbox есть чек, который может быть чеком этого документа, но он не виден: найдите его в Checkbox",
    "Checkbox has a receipt that may be this document's but does not show it: look for it in Checkbox",
)
