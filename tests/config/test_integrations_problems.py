"""Each mistake in the integrations file is a line with its place, what is wrong and what is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from tests.config.conftest import Lines, load

ID_RULE = "allowed are 1 to 64 of a-z, 0-9, '_' and '-'"
SECRET_RULE = "allowed is a text, env:NAME of a variable that is set, or file:/path of a readable file"
RATE_RULE = "allowed is a decimal from 0 to 100 with at most 2 places, or not_accountable"
CODE_RULE = "allowed is a positive integer, the code of the tax in Checkbox"
ROLLOVER_RULE = "allowed is an ISO 8601 duration from PT1H to under PT24H"
KEYS = (
    "id, name, company, environment, prepayments, checkbox_url, cash_rounding, shifts, rollover_after, "
    "cashiers, tax_rates"
)
COMPANY_RULE = "allowed is what follows /companies/ in a message's source, without spaces and slashes"
UNKNOWN = "is unknown; allowed are id, name, employee, login, password, pin_code, license_key"
UUID_RULE = "is not a UUID; allowed is 8-4-4-4-12 hexadecimal digits"
URL_RULE = "allowed is an http:// or https:// address without user name and query"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1:1: does not hold the key integrations"),
        ("# nothing\n", "2:1: does not hold the key integrations"),
        ("- a", "1:1: does not hold the key integrations"),
        ("{}", "1:1: does not hold the key integrations"),
        ("integrations:", "1:14: integrations is not a list; [] is an empty one"),
        ("integrations: {a: b}", "1:15: integrations is not a list; [] is an empty one"),
        ("integrations: []\nintegrations: []", "2:1: integrations: comes twice; allowed is once"),
        ("integrations: []\n---\na: b", "2:1: is a second document; allowed is one"),
        ("integrations:\n  - id: a\n   name: b", "3:4: is not YAML: did not find expected '-' indicator"),
        ("integrations: [", "2:1: is not YAML: did not find expected node content"),
        (b"integrations: []\n# \xff", "2:1: has bytes that are not UTF-8, or control characters"),
        ("integrations: [[[[[[[[[[[[]]]]]]]]]]]]", "1:16: integrations[0]: is a list; allowed is a mapping"),
    ],
)
def test_document(problems: Lines, text: str | bytes, line: str) -> None:
    """A file that is no mapping with one list is refused."""
    assert problems(text) == [f"integrations.yaml:{line}"]


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ("shop", "5: integrations[0]: is a single value; allowed is a mapping"),
        ("[]", "5: integrations[0]: is a list; allowed is a mapping"),
        ("{name: a}", f"5: integrations[0].id: is missing; {ID_RULE}"),
        ("{id: ''}", "10: integrations[0].id: is empty; allowed is a text of at least one character"),
        ("{id: [a]}", "10: integrations[0].id: is a list; allowed is a text"),
        ("{id: Shop A}", f"10: integrations[0].id: 'Shop A' is not an id; {ID_RULE}"),
        (f"{{id: {'a' * 65}}}", f"10: integrations[0].id: '{'a' * 60}…' is not an id; {ID_RULE}"),
        ("{id: a, shift: auto}", f"13: integrations[0]: key shift is unknown; allowed are {KEYS}"),
        ("{id: a, 'x y': b}", f"13: integrations[0]: a key (not shown) is unknown; allowed are {KEYS}"),
        ("{id: a, <<: {id: b}}", f"13: integrations[0]: a key (not shown) is unknown; allowed are {KEYS}"),
        ("{id: a, id: b}", "13: integrations[0].id: comes twice; allowed is once"),
        ("{id: a, name: {}}", "19: integrations[0].name: is a mapping; allowed is a text"),
        (
            "{id: a, company: /companies/1}",
            f"22: integrations[0].company: '/companies/1' is not a company's code; {COMPANY_RULE}",
        ),
        (
            "{id: a, environment: prod}",
            "26: integrations[0].environment: 'prod' is unknown; allowed is live or test",
        ),
        (
            "{id: a, prepayments: yes}",
            "26: integrations[0].prepayments: 'yes' is neither true nor false; allowed is true or false",
        ),
        ("{id: a, shifts: off}", "21: integrations[0].shifts: 'off' is unknown; allowed is manual or auto"),
        (
            "{id: a, cash_rounding: 10}",
            "28: integrations[0].cash_rounding: '10' is unknown; allowed is none or ROUND_10 or ROUND_50",
        ),
        (
            "{id: a, rollover_after: 23}",
            f"29: integrations[0].rollover_after: '23' is not an ISO 8601 duration; {ROLLOVER_RULE}",
        ),
        (
            "{id: a, rollover_after: PT24H}",
            f"29: integrations[0].rollover_after: 'PT24H' is out of bounds; {ROLLOVER_RULE}",
        ),
        (
            "{id: a, rollover_after: PT59M59S}",
            f"29: integrations[0].rollover_after: 'PT59M59S' is out of bounds; {ROLLOVER_RULE}",
        ),
        (
            "{id: a, checkbox_url: 'ftp://x'}",
            f"27: integrations[0].checkbox_url: does not begin with http:// or https://; {URL_RULE}",
        ),
        ("{id: a, cashiers: {id: b}}", "23: integrations[0].cashiers: is a mapping; allowed is a list"),
        (
            "{id: a, cashiers: [b]}",
            "24: integrations[0].cashiers[0]: is a single value; allowed is a mapping",
        ),
        ("{id: a, tax_rates: 20}", "24: integrations[0].tax_rates: is a single value; allowed is a list"),
    ],
)
def test_integration(problems: Lines, item: str, line: str) -> None:
    """Each key of an integration is checked."""
    assert problems(f"integrations:\n  - {item}") == [f"integrations.yaml:2:{line}"]


def test_duplicate_ids(problems: Lines) -> None:
    """An id comes once in the file, and a cashier's once in his integration."""
    text = """\
integrations:
  - id: a
    cashiers:
      - {id: b, login: x, password: x}
      - {id: b, login: y, password: y}
  - id: a
"""
    cashier = "'b' is the id of more than one cashier; allowed is an id once"
    assert problems(text) == [
        "integrations.yaml:2:5: integrations[0].id: is the id of integrations.yaml integrations[1] too;"
        " allowed is an id once",
        f"integrations.yaml:4:14: integrations[0].cashiers[0].id: {cashier}",
        f"integrations.yaml:5:14: integrations[0].cashiers[1].id: {cashier}",
        "integrations.yaml:6:5: integrations[1].id: is the id of integrations.yaml integrations[0] too;"
        " allowed is an id once",
    ]


@pytest.mark.parametrize(
    ("cashier", "place", "line"),
    [
        ("id: b, login: x", "", "password: is missing; login needs it"),
        ("id: b, password: x", "", "login: is missing; password needs it"),
        ("id: b, pin_code: 1", "", "license_key: is missing; pin_code needs it"),
        ("id: b", "", "login: is missing; allowed is login with password, or pin_code with license_key"),
        (
            "id: b, login: x, password: x, license_key: k, pin_code: 1",
            "pin_code: ",
            "pin_code: stands beside login; allowed is one of the two",
        ),
        ("id: b, login: x, password: null", "", "password: is missing; login needs it"),
        (
            "id: b, login: x, password: ''",
            "password: ",
            "password: is empty; allowed is a text of at least one character",
        ),
        ("id: b, login: x, password: [hunter2]", "password: ", "password: is a list; allowed is a text"),
        (
            "id: b, login: x, password: !hunter2 ''",
            "password: ",
            "password: has a YAML tag; a text that begins with ! needs quotes",
        ),
        (
            "id: b, login: x, password: env:hunter-2",
            "password: ",
            f"password: env: is not followed by the name of a variable; {SECRET_RULE}",
        ),
        ("id: b, login: x, password: env:NO", "password: ", f"password: env:NO is not set; {SECRET_RULE}"),
        (
            "id: b, login: x, password: env:EMPTY",
            "password: ",
            f"password: env:EMPTY is empty; {SECRET_RULE}",
        ),
        ("id: b, login: env:NO, password: x", "login: ", f"login: env:NO is not set; {SECRET_RULE}"),
        (
            "id: b, login: x, password: file:a",
            "password: ",
            f"password: file: is not followed by an absolute path; {SECRET_RULE}",
        ),
        (
            "id: b, login: x, password: file:/no/such",
            "password: ",
            f"password: file:/no/such cannot be read (No such file or directory); {SECRET_RULE}",
        ),
        (
            "id: b, login: x, password: file:/tmp",
            "password: ",
            f"password: file:/tmp is not a regular file; {SECRET_RULE}",
        ),
        (
            "id: b, pin_code: 1, license_key: 'hunter2 '",
            "license_key: ",
            "license_key: cannot be sent in an HTTP header; allowed are visible ASCII characters",
        ),
        (
            "id: b, login: x, password: x, employee: 7",
            "employee: ",
            f"employee: '7' {UUID_RULE}",
        ),
        (
            "id: b, login: x, password: x, employee: e0000000000140008000000000000001",
            "employee: ",
            f"employee: 'e0000000000140008000000000000001' {UUID_RULE}",
        ),
    ],
)
def test_cashier(problems: Lines, cashier: str, place: str, line: str) -> None:
    """Each key of a cashier is checked, and no secret is repeated."""
    row = f"      - {{{cashier}}}"
    column = (row.index(place) + len(place) if place else row.index("{")) + 1
    text = f"integrations:\n  - id: a\n    cashiers:\n{row}"
    assert problems(text, {"EMPTY": ""}) == [
        f"integrations.yaml:4:{column}: integrations[0].cashiers[0].{line}"
    ]


@pytest.mark.parametrize(
    ("cashier", "line"),
    [
        ("{id: b, login: x, password:hunter2}", f"27: XX: a key (not shown) {UNKNOWN}"),
        ("{id: b, login: x, pasword: hunter}", f"27: XX: key pasword {UNKNOWN}"),
    ],
)
def test_unknown_key_of_a_cashier(problems: Lines, cashier: str, line: str) -> None:
    """A key that lost its blank before the secret is not repeated; a misspelt one is."""
    found = problems(f"integrations:\n  - id: a\n    cashiers:\n      - {cashier}")
    assert found[-1] == f"integrations.yaml:4:{line.replace('XX', 'integrations[0].cashiers[0]')}"
    assert "hunter" not in "".join(found)


def test_unquoted_star(problems: Lines) -> None:
    """A password that begins with a star is not repeated as the name of an alias."""
    text = "integrations:\n  - {id: a, cashiers: [{id: b, login: x, password: *hunter2 }]}"
    assert problems(text) == [
        "integrations.yaml:2:52: is an unknown alias; a text that begins with * needs quotes"
    ]


def laughs(levels: int) -> str:
    """Each level is nine of the one before."""
    lists = [f"  - &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(["integrations:", "  - &a0 [lol]", *lists])


def a_row_of(cashiers: int) -> str:
    """Few bytes for each of the cashiers."""
    return f"integrations:\n  - {{id: i, cashiers: [&one {{id: c}}, {', '.join(['*one'] * cashiers)}]}}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (laughs(9), "8:10"),
        (laughs(30), "8:10"),
        (a_row_of(100_000), "2:500036"),
    ],
    ids=["laughs", "many_laughs", "one_list"],
)
def test_aliases_that_stand_for_too_much(problems: Lines, text: str, place: str) -> None:
    """Refused before they are written out; what was read before stays in force, as of any broken file."""
    (line,) = problems(text)
    assert line == f"integrations.yaml:{place}: repeats too much: aliases may stand for 250000 values"


def test_a_table_of_rates_for_ten_thousand_integrations(problems: Lines) -> None:
    """The limit is beyond what anybody needs."""
    rates = ", ".join(f"{{rate: {rate}, code: {rate + 1}}}" for rate in (20, 14, 7, 0))
    others = "\n".join(f"  - {{id: i{number}, tax_rates: *r}}" for number in range(10_000))
    assert problems(f"integrations:\n  - {{id: i, tax_rates: &r [{rates}]}}\n{others}") == []


def test_a_file_that_is_too_long(problems: Lines) -> None:
    """It is not read to its end."""
    (line,) = problems(b"integrations: []" + b" " * (64 * 1024**2))
    assert line == "integrations.yaml: cannot be read: it is over 64 MiB"


def test_auto_needs_the_register(problems: Lines) -> None:
    """Shifts that the worker opens need every cashier's licence key."""
    text = """\
integrations:
  - id: a
    cashiers:
      - {id: b, login: x, password: x}
      - {id: c, login: y, password: y, license_key: k}
    shifts: auto
"""
    assert problems(text) == [
        "integrations.yaml:4:9: integrations[0].cashiers[0].license_key: is missing; shifts: auto opens and"
        " closes shifts with it"
    ]


@pytest.mark.parametrize(
    ("rate", "column", "line"),
    [
        ("{code: 1}", 9, f"rate: is missing; {RATE_RULE}"),
        ("{rate: 20}", 9, f"code: is missing; {CODE_RULE}"),
        ("{rate: 20, code: 0}", 26, f"code: '0' is not a code; {CODE_RULE}"),
        ("{rate: 20, code: 1.0}", 26, f"code: '1.0' is not a code; {CODE_RULE}"),
        ("{rate: 20, code: 010}", 26, f"code: '010' is not a code; {CODE_RULE}"),
        ("{rate: 100.01, code: 1}", 16, f"rate: '100.01' is not a rate; {RATE_RULE}"),
        ("{rate: 7.001, code: 1}", 16, f"rate: '7.001' is not a rate; {RATE_RULE}"),
        ("{rate: -1, code: 1}", 16, f"rate: '-1' is not a rate; {RATE_RULE}"),
        ("{rate: 2e1, code: 1}", 16, f"rate: '2e1' is not a rate; {RATE_RULE}"),
        ("{rate: ٧, code: 1}", 16, f"rate: '٧' is not a rate; {RATE_RULE}"),
        ("{rate: 20, code: 1, name: x}", 29, "XX: key name is unknown; allowed are rate, code"),
    ],
)
def test_tax_rate(problems: Lines, rate: str, column: int, line: str) -> None:
    """Each row of the table of rates is checked."""
    place = "integrations[0].tax_rates[0]"
    text = f"integrations:\n  - id: a\n    tax_rates:\n      - {rate}"
    told = line.replace("XX", place) if line.startswith("XX") else f"{place}.{line}"
    assert problems(text) == [f"integrations.yaml:4:{column}: {told}"]


def test_duplicate_rates(problems: Lines) -> None:
    """20 and 20.0 are one rate, and a rate has one code; rows that cannot be read are not compared."""
    text = """\
integrations:
  - id: a
    tax_rates:
      - {rate: 20, code: 1}
      - {rate: not_accountable, code: 1}
      - {rate: 20.0, code: 2}
      - {rate: not_accountable, code: 2}
      - {rate: x, code: 2}
      - {rate: y, code: 2}
"""
    place = "integrations[0].tax_rates"
    assert problems(text) == [
        f"integrations.yaml:6:16: {place}[2].rate: 20 comes twice; allowed is once",
        f"integrations.yaml:7:16: {place}[3].rate: not_accountable comes twice; allowed is once",
        f"integrations.yaml:8:16: {place}[4].rate: 'x' is not a rate; {RATE_RULE}",
        f"integrations.yaml:9:16: {place}[5].rate: 'y' is not a rate; {RATE_RULE}",
    ]


def test_all_problems_in_the_order_of_the_file(problems: Lines) -> None:
    """One reading tells of every mistake."""
    text = "integrations:\n  - {id: A, shifts: x, name: []}\n  - {id: B}\n"
    assert [line.split(":")[1:3] for line in problems(text)] == [
        ["2", "10"],
        ["2", "21"],
        ["2", "30"],
        ["3", "10"],
    ]


def test_secret_files_that_are_no_secrets(problems: Lines, tmp_path: Path) -> None:
    """A file that is empty, too long, not text or a pipe is told by its name; a pipe is not waited for."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "long").write_text("x" * 65537)
    (tmp_path / "binary").write_bytes(b"\xff")
    os.mkfifo(tmp_path / "pipe")
    rows = "".join(
        f"      - {{id: {name}, login: {name}, password: file:{tmp_path}/{name}}}\n"
        for name in ("empty", "long", "binary", "pipe")
    )
    found = problems(f"integrations:\n  - id: a\n    cashiers:\n{rows}")
    assert [line.partition(f"file:{tmp_path}/")[2].partition(";")[0] for line in found] == [
        "empty is empty",
        "long is over 64 KiB",
        "binary is not UTF-8 text",
        "pipe is not a regular file",
    ]


def test_missing_file() -> None:
    """A file that is not there is one line, which names one to copy."""
    with pytest.raises(ConfigurationError) as raised:
        load(Path("config/integrations.yaml"))
    (line,) = raised.value.lines
    assert line.startswith("config/integrations.yaml: cannot be read: No such file or directory; ")
    assert "config/integrations.example.yaml" in line
