"""Answers about the cashier, the organization and the register, read into words of ours.

What Checkbox does not show is None. Times are in seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, datetime, time, timedelta
from typing import Any

from worker.checkbox.answers import Document, as_object, child, integer, moment, text
from worker.fiscal.kyiv import KYIV


@dataclass(frozen=True, slots=True)
class RegisterInfo:
    """The register that a licence key stands for."""

    id: str | None
    organization_id: str | None
    fiscal_number: str | None
    is_test: bool | None
    is_offline: bool
    has_shift: bool
    #: Why the register was blocked, where it was.
    emergency: str | None


@dataclass(frozen=True, slots=True)
class CashierInfo:
    """The signed-in cashier, and the organization."""

    id: str | None
    full_name: str | None
    organization: str | None
    organization_id: str | None
    #: Whether the organization pays VAT.
    is_vat: bool | None
    is_test: bool | None
    blocked: str | None
    certificate_end: float | None
    #: The end of the subscription's last day, in Kyiv.
    subscription_end: float | None


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """Whether the cashier's key can sign now."""

    type: str | None
    is_online: bool | None
    can_open_shift: bool | None


@dataclass(frozen=True, slots=True)
class OfflineTime:
    """How long a register has worked without the tax service, in seconds."""

    session: int | None
    month: int | None


@dataclass(frozen=True, slots=True)
class OfflineCodes:
    """The stock of fiscal numbers for work without the tax service."""

    available: int | None
    is_low: bool


def read_register(document: Any) -> RegisterInfo:
    """GET /cash-registers/info."""
    register = as_object(document)
    return RegisterInfo(
        id=text(register, "id"),
        organization_id=text(register, "organization_id"),
        fiscal_number=text(register, "fiscal_number"),
        is_test=_flag(register, "is_test"),
        is_offline=register.get("offline_mode") is True or register.get("stay_offline") is True,
        has_shift=register.get("has_shift") is True,
        emergency=text(register, "emergency_details") or text(register, "emergency_date"),
    )


def read_cashier(document: Any) -> CashierInfo:
    """GET /cashier/me."""
    cashier = as_object(document)
    organization = child(cashier, "organization")
    certificate_end = _end(cashier.get("certificate_end"))
    return CashierInfo(
        id=text(cashier, "id"),
        full_name=text(cashier, "full_name"),
        organization=text(organization, "title"),
        organization_id=text(organization, "id"),
        is_vat=_flag(organization, "is_vat"),
        is_test=_is_test(cashier),
        blocked=text(cashier, "blocked"),
        certificate_end=certificate_end.timestamp() if certificate_end else None,
        subscription_end=_end_of_day(organization.get("subscription_exp")),
    )


def read_signature_status(document: Any) -> SignatureStatus:
    """GET /cashier/check-signature."""
    status = as_object(document)
    return SignatureStatus(
        type=text(status, "type"),
        is_online=_flag(status, "online"),
        can_open_shift=_flag(status, "shift_open_possibility"),
    )


def read_block_date(document: Any) -> float | None:
    """GET /organization/billing-status: when the vendor will stop its service for a debt.

    ASSUMED: a date without a time is the beginning of that day in Kyiv.
    """
    value = as_object(document).get("date_to_block")
    at = _end(value)
    if at is None or not isinstance(value, str):
        return None
    return _midnight(at) if len(value.strip()) == len("2026-12-31") else at.timestamp()


def read_offline_time(document: Any) -> OfflineTime:
    """GET /cash-registers/get-offline-time: of the session under way, and of the month."""
    status = child(as_object(document), "status")
    return OfflineTime(integer(status.get("current")), integer(status.get("total")))


def read_offline_codes(document: Any) -> OfflineCodes:
    """GET /cash-registers/get-offline-codes-count."""
    codes = as_object(document)
    available, minimal = integer(codes.get("available")), integer(codes.get("minimal"))
    is_short = available is not None and minimal is not None and available < minimal
    return OfflineCodes(available, is_short or codes.get("enough_offline_codes") is False)


def _flag(document: Document, name: str) -> bool | None:
    value = document.get(name)
    return value if isinstance(value, bool) else None


def _is_test(cashier: Document) -> bool | None:
    """Newer answers have the type of the key alone."""
    is_test = _flag(cashier, "is_test")
    kind = text(cashier, "signature_type")
    return is_test if is_test is not None or kind is None else kind == "TEST"


def _end(value: Any) -> datetime | None:
    """None where there is none: the last year of the calendar stands for no end."""
    at = moment(value)
    return None if at is None or at.year == MAXYEAR else at


def _end_of_day(value: Any) -> float | None:
    at = _end(value)
    return None if at is None else _midnight(at, days_later=1)


def _midnight(at: datetime, days_later: int = 0) -> float:
    day = at.astimezone(KYIV).date() + timedelta(days=days_later)
    return datetime.combine(day, time(), KYIV).timestamp()
