"""Where the buyer gets his receipt, in the patterns that Checkbox takes; others would fail the sale."""

from __future__ import annotations

import re

# ASCII only, and a domain with a point in it: what Checkbox's own check of the format lets through.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
_EMAIL = re.compile(rf"(?=.{{1,64}}@)(?=.{{3,254}}\Z){_LOCAL}@{_DOMAIN}")
_PHONE_SPACING = re.compile(r"[\s().-]+")
_PHONE = re.compile(r"(?:(?:\+|00)?38)?(0[0-9]{9})")


def checked_email(text: str) -> str | None:
    """The address; None when it is malformed."""
    text = text.strip()
    return text if _EMAIL.fullmatch(text) else None


def checked_phone(text: str) -> str | None:
    """A Ukrainian number as 380XXXXXXXXX, which every version of Checkbox takes; None when it is none."""
    match = _PHONE.fullmatch(_PHONE_SPACING.sub("", text))
    return f"38{match[1]}" if match else None
