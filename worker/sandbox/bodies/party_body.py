"""The bodies of answers about cashiers and registers."""

from __future__ import annotations

from typing import Any

from worker.sandbox.clock import iso
from worker.sandbox.ledger import Cashier, Register

Body = dict[str, Any]

_PERMISSIONS: Body = {
    "self_return": True,
    "orders": False,
    "add_discounts": True,
    "editing_goods_sum": True,
    "editing_good_price": True,
    "service_in": True,
    "service_out": True,
    "returns": True,
    "sales": True,
    "card_payment": True,
    "cash_payment": True,
    "other_payment": True,
    "mixed_payment": True,
    "branch_params": True,
    "reports_history": True,
    "free_return": False,
    "orders_source": "UNSET",
}


def register_in_shift(register: Register) -> Body:
    return {
        "id": register.id,
        "fiscal_number": register.fiscal_number,
        "active": True,
        "created_at": iso(register.created_at),
        "updated_at": None,
        "number": str(register.number),
    }


def register_in_list(register: Register, now: float) -> Body:
    return {
        **register_in_shift(register),
        "is_test": True,
        "shift": {"id": register.shift.id} if register.shift else None,
        "offline_mode": is_offline(register, now),
        "stay_offline": register.stay_offline,
        "branch": None,
        "address": "м. Київ, вул. Тестова, 1",
        "type": 0,
    }


def register_info(register: Register, now: float) -> Body:
    """``number`` is an integer here, as seen live, and a string elsewhere."""
    return {
        "id": register.id,
        "organization_id": register.organization.id,
        "fiscal_number": register.fiscal_number,
        "created_at": iso(register.created_at),
        "updated_at": iso(now),
        "number": register.number,
        "address": "м. Київ, вул. Тестова, 1",
        "title": "",
        "vehicle_license_plate": "",
        "offline_mode": is_offline(register, now),
        "stay_offline": register.stay_offline,
        "has_shift": register.shift is not None,
        "emergency_date": None,
        "emergency_details": None,
        "is_test": True,
        "type": 0,
        "has_qr_acquiring": False,
        "has_internet_acquiring": False,
        "has_pos_acquiring": False,
        "has_monobank_terminal": False,
        "has_easypay_acquiring": False,
        "has_rozetkapay_acquiring": False,
        "has_iban_acquiring": False,
        "ettn_acquiring_id": None,
        "is_superkasa": False,
        "alt_discount_calculation": False,
        "settings": {"receipt_limits": {"goods_count_limit": None, "total_sum_limit": None}},
        "documents_state": {
            "last_receipt_code": register.receipt_serial,
            "last_report_code": register.report_serial,
            "last_z_report_code": register.shift_serial,
        },
    }


def is_offline(register: Register, now: float) -> bool:
    return register.stay_offline or now < register.silent_until


def cashier(item: Cashier) -> Body:
    return {
        "id": item.id,
        "full_name": item.full_name,
        "nin": "000000000",
        "key_id": f"test_{item.id.replace('-', '')[:16]}",
        "signature_type": "TEST",
        "permissions": _PERMISSIONS,
        "created_at": iso(item.created_at),
        "updated_at": None,
        "certificate_end": None,
        "blocked": None,
    }


def cashier_me(item: Cashier) -> Body:
    organization = item.organization
    return {
        **cashier(item),
        "is_test": True,
        "organization": {
            "id": organization.id,
            "title": organization.title,
            "edrpou": "0000000000",
            "tax_number": "000000000000",
            "created_at": iso(item.created_at),
            "updated_at": None,
            "subscription_exp": None,
            "is_vat": any(tax.rate for tax in organization.taxes.values()),
            "receipts_ratelimit_count": 3,
            "receipts_ratelimit_interval": 1,
            "can_send_sms": False,
            "allowed_offline_duration": 36,
            "auto_close_shift_at": None,
        },
    }
