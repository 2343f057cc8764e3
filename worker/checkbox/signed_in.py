"""A command's own sign-in at Checkbox, beside the worker's; it signs out at the end.

A cashier has at most ten valid tokens, and an eleventh invalidates the oldest: so none is left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from worker.checkbox.client import CheckboxClient
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Verdict
from worker.fiscal.ports import Refusal


@contextmanager
def signed_in(client: CheckboxClient, integration: Integration, cashier: Cashier) -> Iterator[str]:
    """The token. Raises ``Rejected`` (CASHIER_CREDENTIALS_REJECTED) and ``Unavailable``."""
    token = client.sign_in(integration.checkbox_url, cashier)
    try:
        yield token
    finally:
        with suppress(Verdict, Refusal):  # ten more sign-ins invalidate it
            client.sign_out(integration.checkbox_url, token)


def secrets_of(cashier: Cashier) -> tuple[str, ...]:
    """What must be cut out of Checkbox's words about this cashier."""
    secrets = (cashier.password, cashier.pin_code, cashier.license_key)
    return tuple(secret.get_secret_value() for secret in secrets if secret is not None)
