"""The buyer's addresses in the patterns of Checkbox."""

from __future__ import annotations

import pytest

from worker.fiscal.buyer import checked_email, checked_phone


@pytest.mark.parametrize(
    "written",
    [
        "+380501234567",
        "380501234567",
        "0501234567",
        "+38 (050) 123-45-67",
        "00380501234567",
        " 050.123.45.67 ",
    ],
)
def test_a_ukrainian_number_is_sent_as_checkbox_takes_it(written: str) -> None:
    """However it is written, 380XXXXXXXXX fits both known versions of the pattern."""
    assert checked_phone(written) == "380501234567"


@pytest.mark.parametrize(
    "written", ["12", "", "+48501234567", "+3805012345678", "+0501234567", "٠501234567", "?"]
)
def test_any_other_number_is_none(written: str) -> None:
    """What Checkbox would answer 422 to is dropped."""
    assert checked_phone(written) is None


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("buyer@пошта.укр", "buyer@xn--80a1acn3a.xn--j1amh"),
        ("buyer@ПОШТА.УКР", "buyer@xn--80a1acn3a.xn--j1amh"),
        ("buyer@xn--80a1acn3a.xn--j1amh", "buyer@xn--80a1acn3a.xn--j1amh"),
    ],
)
def test_a_cyrillic_domain_is_sent_as_punycode(written: str, sent: str) -> None:
    """Checkbox takes ASCII; both are the same address."""
    assert checked_email(written) == sent


@pytest.mark.parametrize("written", ["buyer@example.com", " a.b+c@sub.example.com.ua "])
def test_an_address_is_sent_without_the_space_around_it(written: str) -> None:
    """Copied addresses often carry a space."""
    assert checked_email(written) == written.strip()


@pytest.mark.parametrize(
    "written",
    [
        "not an address",
        "a@b",
        "@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@-example.com",
        "покупець@example.com",
        "a@example.com\nBcc: b@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'a' * 250}.com",
        "a@localhost",
        "buyer@xn--a.com",
        "Buyer <buyer@example.com>",
        "?",
    ],
)
def test_any_other_address_is_none(written: str) -> None:
    """What Checkbox would answer 422 to is dropped."""
    assert checked_email(written) is None
