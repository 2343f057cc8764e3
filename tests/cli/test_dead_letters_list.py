"""Looking at dead letters: nothing is changed, and stdout holds only what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.commands import invoke, run, start
from tests.cli.letters import SECRET_PHONE, body, connect, drained, numbers, put, ready
from worker.rabbit.topology import DEAD_LETTERS, ORDERS_EXCHANGE

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/dead-letter-line.schema.json").read_text())
MEMBERS = {"code", "order", "docNumber", "integration", "cashier", "request", "attempts", "replays"}
MEMBERS |= {"firstSeen", "failedAt", "detail"}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_have_the_members_of_the_contract(amqp_url: str) -> None:
    """A real process prints one line for each letter, oldest first, and nothing else on stdout."""
    put(amqp_url, range(3))
    done = run(amqp_url, "dead-letters", "list", "--json")
    rows = lines(done.stdout)
    assert done.returncode == 0
    assert [row["docNumber"] for row in rows] == ["N-0", "N-1", "N-2"]
    for row in rows:
        assert set(row) == MEMBERS
        jsonschema.validate(row, SCHEMA)
    assert rows[0]["detail"] == {"shift": None}
    assert numbers(amqp_url) == [0, 1, 2]


def test_a_table_is_for_people(amqp_url: str) -> None:
    """Without --json there is a header and a row for each letter, and nothing steers the terminal."""
    put(amqp_url, [1], docnumber="N\x1b[31m")
    shown = invoke(amqp_url, "dead-letters", "list").stdout
    assert shown.splitlines()[0].startswith("failed at")
    assert "SHIFT_NOT_OPEN" in shown.splitlines()[1]
    assert "\x1b" not in shown


def test_no_letter_is_an_empty_list(amqp_url: str) -> None:
    """A list of nothing and an export of nothing are done, and a letter that is not there is not shown."""
    put(amqp_url, [])
    assert invoke(amqp_url, "dead-letters", "list", "--json").exit_code == 0
    assert invoke(amqp_url, "dead-letters", "export").exit_code == 0
    assert invoke(amqp_url, "dead-letters", "show", "N-1").exit_code == 3


def test_letters_are_counted_by_code(amqp_url: str) -> None:
    """--group-by says how many there are of each."""
    put(amqp_url, range(2))
    put(amqp_url, [7], code="TOTALS_MISMATCH")
    shown = invoke(amqp_url, "dead-letters", "list", "--group-by", "code", "--json").stdout
    assert lines(shown) == [{"code": "SHIFT_NOT_OPEN", "count": 2}, {"code": "TOTALS_MISMATCH", "count": 1}]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--limit", "2"], 2),
        (["--code", "shift_not_open"], 3),
        (["--cashier", "x"], 0),
        (["--order", "N-1"], 1),
        (["--since", "2h"], 0),
        (["--until", "PT2H"], 3),
        (["--since", "2026-05-05T13:00:01+03:00"], 3),
    ],
)
def test_filters_and_limit(amqp_url: str, options: list[str], count: int) -> None:
    """Each option narrows the list."""
    put(amqp_url, range(3))
    assert len(lines(invoke(amqp_url, "dead-letters", "list", "--json", *options).stdout)) == count


@pytest.mark.parametrize("time", ["yesterday", "2026-05-05T10:00:00", "2x", "P1Z"])
def test_a_time_that_is_none_is_wrong_usage(amqp_url: str, time: str) -> None:
    """Also one without a zone: nobody should have to guess it."""
    assert invoke(amqp_url, "dead-letters", "list", "--since", time).exit_code == 2


def test_a_missing_queue_is_told_in_words(amqp_url: str) -> None:
    """Most likely it is the wrong virtual host."""
    result = invoke(amqp_url, "dead-letters", "list")
    assert result.exit_code == 1
    assert "no queue fiscalize.dead_letters" in result.stderr


@pytest.mark.parametrize("name", ["N-5", "00000000-0000-0000-0000-000000000005"])
def test_show_masks_what_is_personal(amqp_url: str, name: str) -> None:
    """The whole letter is shown, with numbers as written; buyer and card only where it is asked for."""
    put(amqp_url, [5])
    masked = invoke(amqp_url, "dead-letters", "show", name)
    assert masked.exit_code == 0
    assert '"total": 10.1' in masked.stdout
    for secret in (SECRET_PHONE, "444444", "987654321"):
        assert secret not in masked.stdout
        assert secret in invoke(amqp_url, "dead-letters", "show", name, "--reveal").stdout


def test_show_gives_json_too(amqp_url: str) -> None:
    """One line with the letter and, masked, its message."""
    put(amqp_url, [5])
    (row,) = lines(invoke(amqp_url, "dead-letters", "show", "N-5", "--json").stdout)
    assert row["message"]["data"]["buyer"] == {"phone": "***"}
    assert row["message"]["data"]["order"]["docNumber"] == "N-5"


def test_show_masks_what_is_no_json(amqp_url: str) -> None:
    """Of a message that cannot be read, whatever looks like a phone or an address is hidden."""
    put(amqp_url, [5], content=b'{"buyer": {"phone": "+380501234567", "email": "a@b.ua"')
    shown = invoke(amqp_url, "dead-letters", "show", "N-5").stdout
    assert "0501234567" not in shown
    assert "a@b.ua" not in shown


def test_json_holds_nothing_that_steers_a_terminal(amqp_url: str) -> None:
    """Also of a message from elsewhere: escapes stand for control characters and for what turns a line."""
    put(amqp_url, [5], content=body(5).replace(b"N-5", "N-5\x9b2J\u202e".encode()))
    for command in (("export",), ("show", "--request", "request-5", "--json"), ("list", "--json")):
        out = invoke(amqp_url, "dead-letters", *command).stdout
        assert out.replace("\n", "").isprintable(), command


def test_a_copy_is_readable_for_its_owner_only(amqp_url: str, tmp_path: Path) -> None:
    """Also where a file, or what a killed run left, was there and readable for all."""
    put(amqp_url, [1, 2])
    exported, kept = tmp_path / "exported.json", tmp_path / "kept.json"
    for file in (exported, tmp_path / "exported.json.part", kept):
        file.write_text("")
        file.chmod(0o644)
    assert invoke(amqp_url, "dead-letters", "export", "--to", str(exported)).exit_code == 0
    assert invoke(amqp_url, "dead-letters", "discard", "--all", "--export", str(kept), "--yes").exit_code == 0
    for file in (exported, kept):
        assert len(file.read_text().splitlines()) == 2
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [body(1), b"\xef\xbb\xbf{}", b"\xff\x00", b"", "Ґ\u2028\r\n".encode()])
def test_export_and_publish_are_inverse(amqp_url: str, tmp_path: Path, content: bytes) -> None:
    """What export wrote, publish sends again: body byte for byte, with its content type."""
    put(amqp_url, [1], content=content, content_type="text/x-test")
    put(amqp_url, [2], content=content, content_type=None)
    file = tmp_path / "letters.json"
    assert invoke(amqp_url, "dead-letters", "export", "--to", str(file)).exit_code == 0
    for row in lines(file.read_text("utf-8").replace("\u2028", "")):
        jsonschema.validate(row, SCHEMA)
        assert set(row) - MEMBERS in ({"body", "contentType"}, {"bodyBase64", "contentType"})
    assert file.stat().st_mode & 0o077 == 0
    with connect(amqp_url) as connection:
        connection.channel().queue_declare("copy", auto_delete=False)
        connection.channel().queue_bind("copy", ORDERS_EXCHANGE, "#")
    assert invoke(amqp_url, "publish", str(file)).exit_code == 0
    sent = [(properties.content_type, content) for properties, content in drained(amqp_url, "copy")]
    assert sent == [("text/x-test", content), (None, content)]


def test_an_export_that_cannot_be_written_leaves_no_file(amqp_url: str, tmp_path: Path) -> None:
    """A folder that is not there is told in words."""
    put(amqp_url, [1])
    result = invoke(amqp_url, "dead-letters", "export", "--to", str(tmp_path / "no" / "file"))
    assert result.exit_code == 1
    assert "No such file" in result.stderr


def test_a_list_that_nobody_reads_on_changes_nothing(
    amqp_url: str, eventually: Callable[..., object]
) -> None:
    """`list | head -1` ends the list in the middle: all letters are there, in order."""
    put(amqp_url, range(2000))
    process = start(amqp_url, "dead-letters", "list", "--json")
    assert process.stdout
    assert json.loads(process.stdout.readline())["docNumber"] == "N-0"
    process.stdout.close()
    process.wait(30)
    eventually(lambda: ready(amqp_url, DEAD_LETTERS) == 2000)
    assert numbers(amqp_url) == list(range(2000))


def test_letters_without_an_order_are_found_by_their_request(amqp_url: str) -> None:
    """All five commands take --request; it may come several times."""
    put(amqp_url, range(3), order=None, docnumber=None, code="INVALID_MESSAGE")
    one = ("--request", "request-1")
    assert [row["request"] for row in lines(_list(amqp_url, *one))] == ["request-1"]
    assert len(lines(_list(amqp_url, *one, "--request", "request-2"))) == 2
    assert '"request-1"' in invoke(amqp_url, "dead-letters", "show", *one).stdout
    assert len(lines(invoke(amqp_url, "dead-letters", "export", *one).stdout)) == 1
    assert invoke(amqp_url, "dead-letters", "discard", "--yes", *one).exit_code == 0
    two = ("--request", "request-2", "--yes", "--no-wait")
    assert invoke(amqp_url, "dead-letters", "replay", *two).exit_code == 0
    assert numbers(amqp_url, "fiscalize") == [2]
    assert numbers(amqp_url) == [0]


def _list(url: str, *options: str) -> str:
    return invoke(url, "dead-letters", "list", "--json", *options).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("list", "--json", "--order", "N-1"),
        ("show", "N-1"),
        ("export", "--order", "N-1"),
        ("replay", "--yes", "--order", "N-1"),
        ("replay", "--dry-run", "--order", "N-1"),
        ("discard", "--yes", "--order", "N-1"),
    ],
    ids=" ".join,
)
def test_a_number_of_several_orders_names_all_and_changes_nothing(
    amqp_url: str, command: tuple[str, ...]
) -> None:
    """Exit code 2; by uuid, or with a filter that leaves one order, the same command goes through."""
    put(amqp_url, [1])
    put(amqp_url, [2], docnumber="N-1", integration="shop-two")
    result = invoke(amqp_url, "dead-letters", *command)
    assert result.exit_code == 2
    assert result.stdout == ""
    for order in ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"):
        assert order in result.stderr
    waits = ("--no-wait",) if command[0] == "replay" else ()
    narrowed = invoke(amqp_url, "dead-letters", *command, *waits, "--integration", "shop-two")
    assert narrowed.exit_code == 0
    assert ready(amqp_url, DEAD_LETTERS) + ready(amqp_url, "fiscalize") == (
        1 if command[0] == "discard" else 2
    )
    assert numbers(amqp_url)[0] == 1


def test_several_letters_of_one_order_are_one_order(amqp_url: str) -> None:
    """A docNumber that fits letters of one order alone is enough."""
    put(amqp_url, [1])
    put(amqp_url, [1], code="RECEIPT_REJECTED")
    assert len(lines(_list(amqp_url, "--order", "N-1"))) == 2


def test_show_needs_an_order_or_a_filter(amqp_url: str) -> None:
    """Everything at once is what `list` is for."""
    put(amqp_url, [1])
    assert invoke(amqp_url, "dead-letters", "show").exit_code == 2
    assert invoke(amqp_url, "dead-letters", "show", "N-1", "--order", "N-2").exit_code == 2


def test_show_advises_in_the_language_of_the_terminal(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Title, meaning, what to check and what to do next, from the catalogue; JSON stays as it is."""
    put(amqp_url, [5])
    monkeypatch.setenv("LANGUAGE", "uk")
    shown = invoke(amqp_url, "dead-letters", "show", "N-5").stdout
    assert "Зміну не відкрито" in shown
    assert "Нехай касир відкриє зміну в Checkbox" in shown
    monkeypatch.setenv("LANGUAGE", "en")
    assert "The shift is not open" in invoke(amqp_url, "dead-letters", "show", "N-5").stdout
