"""Bodies of cashiers, registers and organizations."""

from __future__ import annotations

from typing import Any

from worker.sandbox.clock import iso
from worker.sandbox.entities import stable_id
from worker.sandbox.ledger import Cashier, Organization, Register

Body = dict[str, Any]

ADDRESS = "м. Київ, вул. Тестова, 1"
#: It is unknown which of them the API enforces: the sandbox enforces none.
_GRANTED = (
    "self_return",
    "add_discounts",
    "editing_goods_sum",
    "deferred_receipt",
    "editing_good_price",
    "can_add_manual_good",
    "service_in",
    "service_out",
    "returns",
    "sales",
    "card_payment",
    "cash_payment",
    "other_payment",
    "mixed_payment",
    "iban_payment",
    "branch_params",
    "reports_history",
    "ettn",
    "add_receipt_discount",
    "bin_in_promotions",
)
_NOT_GRANTED = (
    "orders",
    "additional_service_receipt",
    "free_return",
    "round_discount",
    "can_change_order_payments_types",
    "inventory_edit",
    "restrict_alcohol",
    "limit_cash_sale",
    "access_superkasa",
    "use_loyalty_card_gw",
)
_PERMISSIONS: Body = {
    **dict.fromkeys(_GRANTED, True),
    **dict.fromkeys(_NOT_GRANTED, False),
    "orders_source": "UNSET",
}


def register_in_shift(register: Register) -> Body:
    return {
        "id": register.id,
        "fiscal_number": register.fiscal_number,
        "active": True,
        "created_at": iso(register.created_at),
        "updated_at": iso(register.created_at),
        "number": str(register.number),
    }


def branch(register: Register) -> Body:
    return {
        "id": branch_id(register.organization, register.branch),
        "name": register.branch,
        "address": ADDRESS,
        "active": True,
        "vehicle_license_plate": None,
        "created_at": iso(register.created_at),
        "updated_at": None,
    }


def branch_id(organization: Organization, name: str) -> str:
    return stable_id("branch", organization.title, name)


def register_info(register: Register, now: float) -> Body:
    """``number`` is an integer here, as seen live, and a string elsewhere."""
    return {
        "id": register.id,
        "organization_id": register.organization.id,
        "fiscal_number": register.fiscal_number,
        "created_at": iso(register.created_at),
        "updated_at": iso(now),
        "number": register.number,
        "address": ADDRESS,
        "title": "",
        "object_type": "",
        "show_type_object": True,
        "vehicle_license_plate": "",
        "offline_mode": is_offline(register, now),
        "stay_offline": register.stay_offline,
        "has_shift": register.shift is not None,
        "emergency_date": None,
        "emergency_details": None,
        "is_test": register.is_test,
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
        "key_id": f"{'test_' if is_test(item) else ''}{item.id.replace('-', '')[:16]}",
        "signature_type": item.signature.type,
        "permissions": _PERMISSIONS,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.created_at),
        "certificate_end": iso(ends_at) if (ends_at := item.signature.ends_at) is not None else None,
        "blocked": item.blocked,
    }


def is_test(item: Cashier) -> bool:
    """A test cashier has a test key."""
    return item.signature.type == "TEST"


def signature_status(item: Cashier, now: float) -> Body:
    """ASSUMED: a key that has expired, or whose agent is not online, cannot open a shift."""
    signature = item.signature
    can_sign = signature.is_online and not signature.is_expired(now)
    return {
        "online": signature.is_online,
        "type": signature.type,
        "shift_open_possibility": signature.can_open_shift and can_sign,
    }


def workplace(item: Cashier) -> Body:
    return {
        "id": item.id,
        "full_name": item.full_name,
        "active": item.blocked is None,
        "branch_id": branch_id(item.organization, item.branch),
        "prefix": None,
    }


def billing_status(item: Organization) -> Body:
    billing = item.billing
    return {
        "date_to_block": billing.date_to_block,
        "status": billing.status,
        "units": billing.units,
        "status_changed_at": billing.status_changed_at,
    }


def cashier_me(item: Cashier) -> Body:
    organization = item.organization
    return {
        **cashier(item),
        "is_test": is_test(item),
        "organization": {
            "id": organization.id,
            "title": organization.title,
            "edrpou": "0000000000",
            "tax_number": "000000000000",
            "created_at": iso(item.created_at),
            "updated_at": iso(item.created_at),
            "subscription_exp": organization.subscription_end,
            "is_vat": organization.pays_vat,
            "receipts_ratelimit_count": 3,
            "receipts_ratelimit_interval": 1,
            "can_send_sms": False,
            "allowed_offline_duration": 36,
            "auto_close_shift_at": organization.auto_close_shift_at,
        },
    }
