"""The longer facts that stand in brackets after a sentence, in the languages of Bimp's users. No logic."""

from __future__ import annotations

from worker.fiscal.sentence_texts import in_each

RETURNED = (
    in_each(
        "{code}: продано {soldQuantity} на {soldAmount}, повертається {returnedQuantity} на {returnedAmount}",
        "{code}: продано {soldQuantity} на {soldAmount}, возвращается {returnedQuantity} на {returnedAmount}",
        "{code}: sold {soldQuantity} for {soldAmount}, returned {returnedQuantity} for {returnedAmount}",
    ),
    in_each(
        "продано {sold}, повертається {returned}",
        "продано {sold}, возвращается {returned}",
        "sold {sold}, returned {returned}",
    ),
)
#: Nothing where there is no chain.
CHAIN_SUMS = in_each(
    "усього {total}, сплачено {paid}, залишилося {left}",
    "всего {total}, оплачено {paid}, осталось {left}",
    "total {total}, paid {paid}, left {left}",
)
