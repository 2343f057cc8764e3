"""The sentences that belong to no code."""

from __future__ import annotations

from collections.abc import Mapping

from worker.fiscal.languages import N_
from worker.fiscal.order import Operation

#: Given by the contract, like that of SHIFT_OPEN_OVER_24H.
SUCCEEDED = N_("Order fiscalized")

DELAYED = N_("Checkbox is not responding; we will try again")
DELAYED_WITH_RECEIPT = N_(
    "The receipt is made but has no fiscal number yet: we are waiting for it, no new receipt is needed"
)
DELAYED_BY_ARCHIVE_CHECK = N_("Bimp is not responding whether the order is archived; we will try again")

#: Stands before the sentence of any code where a receipt was made.
RECEIPT_MADE: Mapping[Operation | None, str] = {
    None: N_("The receipt is already made, no new one is needed. "),
    Operation.RETURN: N_("The receipt of the return is already made, no new one is needed. "),
}
#: Where no comparison is possible: Checkbox has a receipt, but does not show it or whose it is.
RECEIPT_NOT_SHOWN = N_(
    "Checkbox has a receipt that may be this document's but does not show it: look for it in Checkbox"
)
#: The name of the rate that has no percent.
NOT_ACCOUNTABLE = N_("no VAT")
