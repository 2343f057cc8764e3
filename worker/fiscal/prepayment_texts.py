"""The sentences of PREPAYMENT_MISMATCH, by reason, in the three languages of Bimp's users. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from worker.fiscal.chain import ChainReason
from worker.fiscal.sentence_texts import Sentence, in_each

MISMATCH: Mapping[str, Sentence] = {
    ChainReason.NOT_ENABLED: in_each(
        "Інтеграція не приймає передплат: увімкніть їх в інтеграції або проведіть оплату одним чеком",
        "Интеграция не принимает предоплат: включите их в интеграции или проведите оплату одним чеком",
        "The integration takes no prepayments: switch them on or take the payment with one receipt",
    ),
    ChainReason.WHICH_CHAIN: in_each(
        "За замовленням було кілька передплат: вкажіть, яку з них повернути",
        "По заказу было несколько предоплат: укажите, какую из них вернуть",
        "The order has had several prepayments: say which one to return",
    ),
    ChainReason.ORDER_SOLD: in_each(
        "Замовлення вже продано одним чеком: передплату за ним не прийнято",
        "Заказ уже продан одним чеком: предоплата по нему не принята",
        "The order was already sold with one receipt: no prepayment was taken",
    ),
    ChainReason.CHAIN_STANDS: in_each(
        "За замовленням є передплата: проведіть доплату або поверніть передплату повністю",
        "По заказу есть предоплата: проведите доплату или верните предоплату полностью",
        "The order has a prepayment: take the rest of the money, or return the whole prepayment",
    ),
    ChainReason.NO_CHAIN: in_each(
        "За замовленням немає передплати: спершу проведіть передплату",
        "По заказу нет предоплаты: сначала проведите предоплату",
        "The order has no prepayment: take the prepayment first",
    ),
    ChainReason.TOTAL_DIFFERS: in_each(
        "Сума замовлення змінилася після передплати: поверніть передплату та проведіть її заново",
        "Сумма заказа изменилась после предоплаты: верните предоплату и проведите её заново",
        "The order's total has changed since the prepayment: return the prepayment and take it anew",
    ),
    ChainReason.LINES_DIFFER: in_each(
        "Товари замовлення змінилися після передплати: поверніть передплату та проведіть її заново",
        "Товары заказа изменились после предоплаты: верните предоплату и проведите её заново",
        "The order's goods have changed since the prepayment: return the prepayment and take it anew",
    ),
    ChainReason.CHAIN_PAID: in_each(
        "Замовлення вже сплачено повністю: доплати не потрібно",
        "Заказ уже оплачен полностью: доплата не нужна",
        "The order is paid in full already: nothing is left to pay",
    ),
    ChainReason.NOT_THE_REST: in_each(
        "Сума доплати не дорівнює залишку: виправте суму",
        "Сумма доплаты не равна остатку: исправьте сумму",
        "The sum is not what is left to pay: correct the sum",
    ),
    ChainReason.NOT_LESS: in_each(
        "Сума передплати не менша за залишок: виправте суму або позначте оплату як остаточну",
        "Сумма предоплаты не меньше остатка: исправьте сумму или отметьте оплату как окончательную",
        "The advance is not less than what is left to pay: correct the sum, or mark the payment as the last",
    ),
}
#: Where the order is known to have receipts.
MADE = in_each(
    "Чек за замовленням уже створено. ",
    "Чек по заказу уже создан. ",
    "A receipt of the order is already made. ",
)
