"""What Checkbox shows of the cashier, the organization and the register. Every call only reads."""

from __future__ import annotations

from pydantic import SecretStr

from worker.checkbox import answers, party_answers
from worker.checkbox.calls import Call, Calls
from worker.checkbox.endpoints import Endpoint
from worker.checkbox.party_answers import (
    CashierInfo,
    OfflineCodes,
    OfflineTime,
    RegisterInfo,
    SignatureStatus,
)
from worker.fiscal.tax_rates import CheckboxTax


class PartyCalls:
    """A part of ``CheckboxClient``: what it says of outcomes holds here."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def taxes(self, url: str, token: str) -> list[CheckboxTax]:
        """The taxes of the cashier's organization."""
        call = Call(endpoint=Endpoint.CASHIER_TAX, url=url, token=token)
        return self._calls.read(call, answers.read_taxes)

    def register_info(self, url: str, license_key: SecretStr) -> RegisterInfo:
        """The register behind a licence key; no sign-in is needed."""
        call = Call(endpoint=Endpoint.REGISTER_INFO, url=url, license_key=license_key)
        return self._calls.read(call, party_answers.read_register)

    def offline_time(self, url: str, license_key: SecretStr) -> OfflineTime:
        """How long the register behind a licence key has been offline."""
        call = Call(endpoint=Endpoint.OFFLINE_TIME, url=url, license_key=license_key)
        return self._calls.read(call, party_answers.read_offline_time)

    def offline_codes(self, url: str, token: str, license_key: SecretStr) -> OfflineCodes:
        """The register's stock of offline codes."""
        call = Call(endpoint=Endpoint.OFFLINE_CODES, url=url, token=token, license_key=license_key)
        return self._calls.read(call, party_answers.read_offline_codes)

    def cashier_me(self, url: str, token: str) -> CashierInfo:
        """Who is signed in."""
        call = Call(endpoint=Endpoint.CASHIER_ME, url=url, token=token)
        return self._calls.read(call, party_answers.read_cashier)

    def check_signature(self, url: str, token: str) -> SignatureStatus:
        """Whether the cashier's key can sign, which an opening of a shift needs."""
        call = Call(endpoint=Endpoint.CHECK_SIGNATURE, url=url, token=token)
        return self._calls.read(call, party_answers.read_signature_status)

    def block_date(self, url: str, token: str, license_key: SecretStr) -> float | None:
        """When the organization will be blocked for a debt, in seconds since the epoch."""
        call = Call(endpoint=Endpoint.BILLING_STATUS, url=url, token=token, license_key=license_key)
        return self._calls.read(call, party_answers.read_block_date)
