"""The calls of Checkbox's API that the worker makes."""

from __future__ import annotations

from enum import Enum


class Endpoint(Enum):
    """Method and path template; the template is also the ``endpoint`` label of the metrics."""

    SIGN_IN = ("POST", "/api/v1/cashier/signin")
    SIGN_IN_PIN = ("POST", "/api/v1/cashier/signinPinCode")
    SIGN_OUT = ("POST", "/api/v1/cashier/signout")
    CASHIER_ME = ("GET", "/api/v1/cashier/me")
    CASHIER_SHIFT = ("GET", "/api/v1/cashier/shift")
    CASHIER_TAX = ("GET", "/api/v1/cashier/tax")
    CHECK_SIGNATURE = ("GET", "/api/v1/cashier/check-signature")
    REGISTER_INFO = ("GET", "/api/v1/cash-registers/info")
    OFFLINE_TIME = ("GET", "/api/v1/cash-registers/get-offline-time")
    OFFLINE_CODES = ("GET", "/api/v1/cash-registers/get-offline-codes-count")
    BILLING_STATUS = ("GET", "/api/v1/organization/billing-status")
    SHIFT_OPEN = ("POST", "/api/v1/shifts")
    SHIFTS = ("GET", "/api/v1/shifts")
    SHIFT = ("GET", "/api/v1/shifts/{shift_id}")
    SHIFT_CLOSE = ("POST", "/api/v1/shifts/close")
    SELL = ("POST", "/api/v1/receipts/sell")
    PREPAYMENT = ("POST", "/api/v1/prepayment-receipts")
    AFTERPAYMENT = ("POST", "/api/v1/prepayment-receipts/{relation_id}")
    CHAIN_RETURN = ("POST", "/api/v1/prepayment-receipts/{relation_id}/return")
    CHAIN = ("GET", "/api/v1/prepayment-receipts/{relation_id}")
    RECEIPT = ("GET", "/api/v1/receipts/{receipt_id}")
    RECEIPT_SEARCH = ("GET", "/api/v1/receipts/search")

    def __init__(self, method: str, template: str) -> None:
        self.method = method
        self.template = template
