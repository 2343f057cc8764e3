"""Rules for request bodies of cashiers, shifts, registers and deliveries."""

from __future__ import annotations

from worker.sandbox.validation import Required, boolean, email, items, members, moment, nullable, text, uuid

_string = nullable(text())

SIGN_IN = members({"login": Required(text(shortest=1)), "password": Required(text(shortest=1))})
SIGN_IN_PIN_CODE = members({"pin_code": Required(text())})
SET_WEBHOOK = members(
    {"url": Required(text(shortest=1, longest=2083, pattern=r"^https?://[^/\s]+", name="url"))}
)
OPEN_SHIFT = members(
    {
        "id": nullable(uuid),
        "auto_close_at": nullable(moment),
        "fiscal_code": _string,
        "fiscal_date": nullable(moment),
    }
)
CLOSE_SHIFT = members(
    {
        "skip_client_name_check": boolean,
        "report": nullable(members({})),
        "fiscal_code": _string,
        "fiscal_date": nullable(moment),
    }
)
GO_OFFLINE = members({"go_offline_date": nullable(moment), "fiscal_code": _string})
EMAILS = items(email, fewest=1)
PHONE = members({"phone": Required(text(pattern=r"^380\d{9}$", name="str.regex"))})
