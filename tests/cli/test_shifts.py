"""`shifts`: a person sees, closes and opens shifts without leaving the terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import yaml
from typer.testing import CliRunner, Result

from tests.cli import commands
from tests.conftest import PATIENCE
from tests.system.counter import CLOSE, OPEN, Counter, ago, counter, write
from worker.cli import shifts
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.topology import DEAD_LETTERS

SALE = {
    "goods": [{"good": {"code": "1", "name": "Товар", "price": 1000, "tax": [1]}, "quantity": 1000}],
    "payments": [{"type": "CASHLESS", "value": 1000}],
}


@pytest.fixture(scope="module")
def running(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    vhost = rabbitmq.new_vhost()
    integrations = write(tmp_path_factory.mktemp("shifts") / "integrations.yaml")
    with counter(vhost, integrations, FISCAL_PROCESSES="1") as one:
        yield one
    vhost.delete()


@pytest.fixture
def shop(running: Counter, monkeypatch: pytest.MonkeyPatch) -> Counter:
    """As after the start; the commands have the worker's settings."""
    running.sandbox.reset()
    for name in ("FISCAL_RABBITMQ_URL", "FISCAL_CHECKBOX_URL", "FISCAL_INTEGRATIONS_FILE"):
        monkeypatch.setenv(name, running.environment[name])
    return running


Configure = Callable[..., None]


@pytest.fixture
def configure(shop: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Other rows for the commands alone."""

    def configure(*rows: dict[str, Any]) -> None:
        file = write(tmp_path / "integrations.yaml")
        document = yaml.safe_load(file.read_text())
        document["integrations"][0]["cashiers"] = [
            {"login": row["id"], "password": f"{row['id']}-secret", **row} for row in rows
        ]
        file.write_text(yaml.safe_dump(document))
        monkeypatch.setenv("FISCAL_INTEGRATIONS_FILE", str(file))

    return configure


def run(*arguments: str) -> Result:
    return CliRunner().invoke(shifts.app, arguments)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def failure(result: Result) -> str:
    """Why the one row failed."""
    (line,) = lines(result)
    assert (result.exit_code, line["outcome"]) == (1, "failed")
    return str(line["message"])


def audit(result: Result) -> dict[str, Any]:
    (line,) = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    return {name: line.get(name) for name in ("event", "integration", "cashier", "shift", "outcome")}


@pytest.fixture
def nina(shop: Counter, configure: Configure) -> str:
    """A cashier with an open shift whom the worker does not know: it takes no token of hers."""
    shop.sandbox.put_cashier("nina", password="nina-secret", license_key="test-nina")
    shop.sandbox.open_shift("nina")
    configure({"id": "nina", "license_key": "test-nina"})
    return "nina"


def tokens(shop: Counter, cashier: str) -> int:
    """Sign-ins of hers that were not ended."""
    return int(shop.sandbox.counters()["tokens"].get(cashier, 0))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_cure_of_a_shift_over_24_hours(shop: Counter) -> None:
    """Two commands close and open it, where shifts are left to people; then the letters go, each once."""
    shop.sandbox.close_shift("petro")
    old = shop.sandbox.open_shift("petro", ago(hours=25))["id"]
    shop.order("late", "petro")
    shop.wait_for_letters(1)
    others = _closed_amid_sales(shop)
    assert failure(run("open", "--cashier", "petro", "--yes", "--json")).startswith("SHIFT_OPEN_OVER_24H")

    closed = run("close", "--integration", "shop-main", "--cashier", "petro", "--yes", "--json")
    told = {"integration": "shop-main", "cashier": "petro", "outcome": "closed", "shift": old}
    assert (closed.exit_code, lines(closed)) == (0, [{**told, "message": None}])
    assert audit(closed) == {"event": "shift_close_asked", **told}
    assert '"actor":"' in closed.stderr
    assert lines(run("close", "--cashier", "petro", "--yes", "--json"))[0]["outcome"] == "already_closed"
    opened = run("open", "--cashier", "petro", "--yes", "--json")
    assert (opened.exit_code, lines(opened)[0]["outcome"]) == (0, "opened")
    assert audit(opened)["event"] == "shift_open_asked"
    (seen,) = lines(run("list", "--cashier", "petro", "--json"))
    assert (seen["state"], seen["shift"]) == ("OPENED", lines(opened)[0]["shift"])

    shop.sandbox.open_shift("maria")
    replay = commands.run(shop.vhost.url, "dead-letters", "replay", "--yes", "--json")
    assert json.loads(replay.stdout.splitlines()[-1])["cameBack"] == {}
    statuses = {entry["id"]: entry["status"] for entry in shop.sandbox.ledger()}
    assert list(statuses.values()) == ["DONE"] * (1 + others)
    assert [entry["shift_id"] for entry in shop.sandbox.ledger()].count(seen["shift"]) == 1


def _closed_amid_sales(shop: Counter) -> int:
    """A colleague's shift is closed while her orders come; how many came.

    What came before the closing has its number in that shift, what came after is a dead letter.
    """
    process = commands.start(shop.vhost.url, "shifts", "close", "--cashier", "maria", "--yes", "--json")
    number = 0
    while process.poll() is None:
        shop.order(f"amid-{number}", "maria")
        number += 1
        time.sleep(0.6)
    out, _ = process.communicate()
    closed = json.loads(out)
    assert (process.returncode, closed["outcome"]) == (0, "closed")
    shop.order("after", "maria")
    until(lambda: len(shop.sandbox.ledger()) + _letters(shop) == number + 2)  # and the letter of petro
    assert {entry["shift_id"] for entry in shop.sandbox.ledger()} <= {closed["shift"]}
    return number + 1


def _letters(shop: Counter) -> int:
    return shop.vhost.queues()[DEAD_LETTERS].messages_ready


def test_a_closing_waits_for_receipts_without_a_number(shop: Counter) -> None:
    """Nothing is asked of Checkbox until the receipt has its number."""
    receipt = _sell(shop, "olena")
    assert lines(run("list", "--cashier", "olena", "--json"))[0]["unfinished"] == 1
    looked = shop.sandbox.requests("GET /receipts/{receipt_id}")
    process = commands.start(shop.vhost.url, "shifts", "close", "--cashier", "olena", "--yes", "--json")
    until(lambda: shop.sandbox.requests("GET /receipts/{receipt_id}") >= looked + 2)
    assert (shop.sandbox.requests(CLOSE), process.poll()) == (0, None)
    shop.sandbox.end_receipt(receipt, "DONE")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["outcome"]) == (0, "closed")
    assert shop.sandbox.requests(CLOSE) == 1


def test_a_closing_does_not_wait_for_ever(shop: Counter, nina: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receipt is still without a number: the shift stays open."""
    monkeypatch.setattr("worker.operators.shifts.PATIENCE", 1.0)
    _sell(shop, nina)
    assert failure(run("close", "--cashier", nina, "--yes", "--json")).startswith("not closed yet")
    assert (shop.sandbox.requests(CLOSE), tokens(shop, nina)) == (0, 0)


def _sell(shop: Counter, cashier: str) -> str:
    """As another program does; the receipt gets no number by itself."""
    receipt = str(uuid4())
    shop.sandbox.fault("created_for", seconds=600)
    with httpx2.Client(base_url=f"{shop.sandbox.url}/api/v1", trust_env=False) as http:
        credentials = {"login": cashier, "password": f"{cashier}-secret"}
        token = http.post("/cashier/signin", json=credentials).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = http.post("/receipts/sell", json={"id": receipt, **SALE}, headers=headers)
        assert answer.status_code == 201
        http.post("/cashier/signout", headers=headers)
    return receipt


def test_an_interrupted_closing_is_not_asked_for(shop: Counter, nina: str) -> None:
    """Ctrl-C while it waits: the exit code is 1, the audit line is there, and the sign-in is ended."""
    _sell(shop, nina)
    process = commands.start(shop.vhost.url, "shifts", "close", "--cashier", nina, "--yes")
    until(lambda: shop.sandbox.requests("GET /receipts/{receipt_id}"))
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert '"outcome":"failed"' in said
    assert (shop.sandbox.requests(CLOSE), tokens(shop, nina)) == (0, 0)


def test_a_shift_at_another_register_stays_open(shop: Counter, configure: Configure) -> None:
    """The row names petro's register, and olena's shift is at her own."""
    configure({"id": "olena", "license_key": "test-petro"})
    assert failure(run("close", "--cashier", "olena", "--yes", "--json")).startswith("WRONG_REGISTER")
    assert failure(run("open", "--cashier", "olena", "--yes", "--json")).startswith("WRONG_REGISTER")
    assert (shop.sandbox.requests(CLOSE), shop.sandbox.requests(OPEN)) == (0, 0)


def test_what_checkbox_refuses_is_told_in_its_words(shop: Counter, configure: Configure) -> None:
    """A busy register; an opening that the tax service refuses; a row without a key."""
    for login, key in (("nina", "test-olena"), ("vera", "test-vera"), ("zoya", "test-zoya")):
        shop.sandbox.put_cashier(login, password=f"{login}-secret", license_key=key)
    vera = {"id": "vera", "license_key": "test-vera"}
    configure({"id": "nina", "license_key": "test-olena"}, vera, {"id": "zoya"})
    busy = run("open", "--cashier", "nina", "--yes", "--json")
    code, _, words = failure(busy).partition(": ")
    assert code == "REGISTER_BUSY"
    assert words in ("Каса зайнята іншим касиром", "Cash register is in use by another cashier")
    assert audit(busy)["outcome"] == "failed"
    assert "license_key" in failure(run("open", "--cashier", "zoya", "--yes", "--json"))
    shop.sandbox.put_cashier("vera", can_open_shift=False)
    assert "Підпис касира недоступний" in failure(run("open", "--cashier", "vera", "--yes", "--json"))
    assert [tokens(shop, cashier) for cashier in ("nina", "vera", "zoya")] == [0, 0, 0]


def test_a_closing_that_checkbox_refuses(shop: Counter) -> None:
    """In its words; the shift stays open, and a second closing goes through."""
    shop.sandbox.fault("refused", endpoint=CLOSE, status=400, words="Зміну закрити неможливо", count=1)
    assert failure(run("close", "--cashier", "ivan", "--yes", "--json")) == "Зміну закрити неможливо"
    assert lines(run("list", "--cashier", "ivan", "--json"))[0]["state"] == "OPENED"
    shop.sandbox.fault("html_503", endpoint="GET /cashier/shift", count=1)
    assert failure(run("close", "--cashier", "ivan", "--yes", "--json")).startswith("Checkbox did not answer")
    assert run("close", "--cashier", "ivan", "--yes").exit_code == 0


def test_rows_that_cannot_be_asked_say_why(shop: Counter, configure: Configure) -> None:
    """And hold up nobody: the others are shown and changed."""
    configure(
        {"id": "olena", "name": "Каса 1", "license_key": "test-olena"},
        {"id": "petro", "password": "wrong-secret"},
        {"id": "ivan", "password": "env:NOT_THERE"},
    )
    result = run("list", "--json")
    olena, petro, ivan = lines(result)
    assert result.exit_code == 1
    assert (olena["name"], olena["state"], olena["problem"], olena["unfinished"]) == (
        "Каса 1", "OPENED", None, 0,
    )  # fmt: skip
    assert olena["register"]
    assert petro["problem"].startswith("CASHIER_CREDENTIALS_REJECTED: ")
    assert "NOT_THERE" in ivan["problem"]
    assert (petro["state"], ivan["state"]) == (None, None)
    table = run("list")
    assert "shop-main/olena (Каса 1)" in table.stdout
    opened = run("open", "--integration", "shop-main", "--yes", "--json")
    assert [line["outcome"] for line in lines(opened)] == ["already_open", "failed", "failed"]
    assert opened.exit_code == 1
    assert "secret" not in result.output + opened.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("close", "--yes"),
        ("open", "--yes"),
        ("close", "--cashier", "nina"),
        ("close", "--cashier", "nobody", "--yes"),
        ("list", "--integration", "gone"),
        ("list", "--order", "1"),
    ],
)
def test_wrong_usage(shop: Counter, nina: str, arguments: tuple[str, ...]) -> None:
    """No row named, no terminal to ask at, an unknown name or option."""
    assert run(*arguments).exit_code == 2
    assert nina not in shop.sandbox.counters()["sign_ins"]


@pytest.mark.parametrize("answer", ["y", "n"])
def test_the_shift_that_was_asked_about(shop: Counter, answer: str) -> None:
    """On a terminal: without a yes nothing happens, and a shift that was opened meanwhile stays open."""
    mine, theirs = pty.openpty()
    process = commands.start(
        shop.vhost.url, "shifts", "close", "--cashier", "olena", stdin=theirs, stdout=subprocess.PIPE,
        stderr=theirs,
    )  # fmt: skip
    said = ""
    while "[y/N]" not in said:
        said += os.read(mine, 4096).decode()
    assert "OPENED" in said
    shop.sandbox.close_shift("olena")
    shop.sandbox.open_shift("olena")
    os.write(mine, f"{answer}\n".encode())
    process.communicate(timeout=60)
    assert process.returncode == (0 if answer == "y" else 1)
    assert shop.sandbox.requests(CLOSE) == 0
    os.close(mine)
    os.close(theirs)
