"""Where the buyer gets his receipt, in the patterns that Checkbox takes; others would fail the sale."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

_PHONE_SPACING = re.compile(r"[\s().-]+")
_PHONE = re.compile(r"(?:(?:\+|00)?38)?(0[0-9]{9})")


def checked_email(text: str) -> str | None:
    """The address in ASCII, a Cyrillic domain as punycode; None where it is malformed.

    None as well for letters outside ASCII before the @: Checkbox's check of the format refuses them. The
    domain is not looked up.
    """
    try:
        address = validate_email(text.strip(), strict=True, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return address.ascii_email


def checked_phone(text: str) -> str | None:
    """A Ukrainian number as 380XXXXXXXXX, which every version of Checkbox takes; None for any other."""
    match = _PHONE.fullmatch(_PHONE_SPACING.sub("", text))
    return f"38{match[1]}" if match else None
