"""`dead-letters watch` replays what only waited for a cause to go away, and nothing else."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from click.testing import Result

from config.integrations_watch import load
from tests.cli import commands
from tests.cli.letters import body, connect, drained, numbers, put, ready
from tests.system.shop import CONTRACT
from worker.checkbox.client import CheckboxClient
from worker.demo.free_ports import free_ports
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.receipt import sale_receipt_id
from worker.operators.dead_letters.causes import SIGN_IN_AGAIN, Cause, Causes
from worker.rabbit.topology import DEAD_LETTERS

SALE = {
    "goods": [{"good": {"code": "1", "name": "Товар", "price": 1000, "tax": [1]}, "quantity": 1000}],
    "payments": [{"type": "CASHLESS", "value": 1000}],
}


@pytest.fixture(scope="module")
def checkbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(integrations=CONTRACT / "integrations.yaml") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def configured(checkbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox as after its start."""
    checkbox.reset()
    monkeypatch.setenv("FISCAL_CHECKBOX_URL", checkbox.url)
    monkeypatch.setenv("FISCAL_INTEGRATIONS_FILE", str(CONTRACT / "integrations.yaml"))


def watch(url: str, *arguments: str) -> Result:
    return commands.invoke(url, "dead-letters", "watch", "--once", "--rate", "0", *arguments)


def tokens(checkbox: SandboxProcess) -> int:
    """Sign-ins that were not ended."""
    asked = checkbox.counters()["requests"]
    signed_in = asked.get("POST /cashier/signin", {}).get("200", 0)
    signed_out = asked.get("POST /cashier/signout", {}).get("205", 0)
    return int(signed_in - signed_out)


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_letters_go_when_the_shift_is_open(amqp_url: str, checkbox: SandboxProcess) -> None:
    """Those of the cashier with a young open shift; a colleague's, whose is closed or old, wait."""
    put(amqp_url, [1, 2])
    put(amqp_url, [3], cashier="petro", code="SHIFT_OPEN_OVER_24H")
    checkbox.close_shift("petro")
    checkbox.open_shift("petro", hours_ago(25))
    result = watch(amqp_url, "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["docNumber"] for line in result.stdout.splitlines()] == ["N-1", "N-2"]
    replayed = drained(amqp_url, "fiscalize")
    assert [content for _, content in replayed] == [body(1), body(2)]
    assert [properties.headers["x-fiscal-replays"] for properties, _ in replayed] == [1, 1]
    assert ready(amqp_url, DEAD_LETTERS) == 1
    checkbox.close_shift("petro")
    checkbox.open_shift("petro")
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [3]
    assert tokens(checkbox) == 0


@pytest.mark.parametrize(
    "code", ["TOTALS_MISMATCH", "RECEIPT_MISMATCH", "INTERNAL_ERROR", "RECEIPT_REJECTED"]
)
def test_what_needs_a_person_stays(amqp_url: str, checkbox: SandboxProcess, code: str) -> None:
    """And nobody is signed in for it."""
    put(amqp_url, [1], code=code)
    assert watch(amqp_url).exit_code == 0
    assert numbers(amqp_url) == [1]
    assert checkbox.counters()["requests"].get("POST /cashier/signin") is None


def test_an_integration_that_is_gone_stays(amqp_url: str) -> None:
    """Nobody can be asked about it."""
    put(amqp_url, [1], integration="gone")
    assert watch(amqp_url).exit_code == 0
    assert numbers(amqp_url) == [1]


def test_a_row_that_was_mended_lets_letters_go(
    amqp_url: str, checkbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of the mended cashier; one whose secret is still missing waits. Nobody is signed in for it."""
    text = (CONTRACT / "integrations.yaml").read_text()
    file = tmp_path / "integrations.yaml"
    file.write_text(text.replace("password: petro-secret", "password: env:NOT_THERE"))
    monkeypatch.setenv("FISCAL_INTEGRATIONS_FILE", str(file))
    put(amqp_url, [1], code="CONFIGURATION_INVALID")
    put(amqp_url, [2], code="CONFIGURATION_INVALID", cashier="petro")
    assert watch(amqp_url).exit_code == 0
    assert (numbers(amqp_url, "fiscalize"), ready(amqp_url, DEAD_LETTERS)) == ([1], 1)
    file.write_text(text)
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [2]
    assert checkbox.counters()["requests"].get("POST /cashier/signin") is None


def test_credentials_that_work_again_let_letters_go(amqp_url: str, checkbox: SandboxProcess) -> None:
    """A sign-in that works is the proof."""
    put(amqp_url, [1], code="CASHIER_CREDENTIALS_REJECTED")
    checkbox.put_cashier("olena", password="another")
    watch(amqp_url)
    assert ready(amqp_url, DEAD_LETTERS) == 1
    checkbox.put_cashier("olena", password="olena-secret")
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [1]
    assert tokens(checkbox) == 0


@pytest.mark.parametrize("rate", ["20", "not_accountable"])
def test_letters_go_when_the_tax_code_fits(amqp_url: str, checkbox: SandboxProcess, rate: str) -> None:
    """By Checkbox's own table: it was mended there, or the file was."""
    put(amqp_url, [1], code="TAX_RATE_MISMATCH", detail=json.dumps({"rate": rate, "code": 1}))
    put(amqp_url, [2], code="TAX_RATE_MISMATCH", detail=json.dumps({"rate": "no rate"}))
    usual = [
        {"code": 1, "label": "ПДВ", "symbol": "А", "rate": 20},
        {"code": 8, "label": "Без ПДВ", "symbol": "З", "rate": 0, "no_vat": True},
    ]
    checkbox.set_organization("olena", taxes=[{**tax, "rate": 7} for tax in usual])
    watch(amqp_url)
    assert ready(amqp_url, DEAD_LETTERS) == 2
    checkbox.set_organization("olena", taxes=usual)
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [1]
    assert tokens(checkbox) == 0


def test_a_refused_sign_in_is_not_tried_again_at_once(checkbox: SandboxProcess) -> None:
    """For ten minutes nobody knocks: Checkbox may lock a cashier who is refused often."""
    in_force = load(CONTRACT / "integrations.yaml", checkbox.url, {}).integrations.in_force
    checkbox.put_cashier("olena", password="another")
    now = 1000.0
    cause = Cause("CASHIER_CREDENTIALS_REJECTED", "shop-main", "olena")
    with closing(CheckboxClient()) as client, Causes(client, monotonic=lambda: now) as causes:
        assert not causes.is_gone(cause, in_force, None)
        now += SIGN_IN_AGAIN - 1
        assert not causes.is_gone(cause, in_force, None)
        assert checkbox.requests("POST /cashier/signin") == 1
        checkbox.put_cashier("olena", password="olena-secret")
        now += 1
        assert causes.is_gone(cause, in_force, None)
        assert causes.is_gone(cause, in_force, None)
        assert checkbox.requests("POST /cashier/signin") == 2
    assert tokens(checkbox) == 0


def test_letters_go_when_checkbox_answers(amqp_url: str, checkbox: SandboxProcess) -> None:
    """While it gives pages instead of answers they stay."""
    put(amqp_url, [1], code="CHECKBOX_UNAVAILABLE", detail='{"reason":"server_error"}')
    checkbox.fault("html_503")
    watch(amqp_url)
    assert ready(amqp_url, DEAD_LETTERS) == 1
    checkbox.clear_faults()
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [1]


def test_a_receipt_without_a_number_is_waited_for(amqp_url: str, checkbox: SandboxProcess) -> None:
    """That Checkbox answers is not enough: its receipt has to have the number."""
    receipt = str(sale_receipt_id(UUID(int=7), 0))
    detail = json.dumps({"reason": "number", "receiptId": receipt})
    put(amqp_url, [7], code="CHECKBOX_UNAVAILABLE", detail=detail)
    checkbox.fault("created_for", seconds=600)
    with httpx2.Client(base_url=f"{checkbox.url}/api/v1", trust_env=False) as http:
        credentials = {"login": "olena", "password": "olena-secret"}
        token = http.post("/cashier/signin", json=credentials).json()["access_token"]
        signed_in = {"Authorization": f"Bearer {token}"}
        assert http.post("/receipts/sell", json={"id": receipt, **SALE}, headers=signed_in).status_code == 201
        http.post("/cashier/signout", headers=signed_in)
    watch(amqp_url)
    assert ready(amqp_url, DEAD_LETTERS) == 1
    checkbox.end_receipt(receipt, "DONE")
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [7]
    assert tokens(checkbox) == 0


def test_bimps_archive_check_is_asked_itself(
    amqp_url: str, checkbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter that waits for Bimp does not go because Checkbox answers."""
    put(amqp_url, [1], code="CHECKBOX_UNAVAILABLE", detail='{"service":"archive_check"}')
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_URL", f"http://127.0.0.1:{free_ports(1)[0]}/{{orderUuid}}")
    watch(amqp_url)
    assert ready(amqp_url, DEAD_LETTERS) == 1
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_URL", f"{checkbox.url}/none/{{orderUuid}}")
    watch(amqp_url)
    assert numbers(amqp_url, "fiscalize") == [1]


def test_what_comes_back_again_and_again_is_left_alone(amqp_url: str) -> None:
    """Five replays are enough, and one that came back just now waits a while first."""
    put(amqp_url, [1], replays=5)
    put(amqp_url, [2], replays=4)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    put(amqp_url, [3], replays=1, **{"failed-at": now})
    put(amqp_url, [4], **{"failed-at": now})
    assert watch(amqp_url).exit_code == 0
    assert numbers(amqp_url, "fiscalize") == [2, 4]
    assert numbers(amqp_url) == [1, 3]


def test_a_letter_whose_queue_is_gone_is_a_failure(amqp_url: str) -> None:
    """The exit code of --once says so; the letter stays."""
    put(amqp_url, [1], queue="gone")
    assert watch(amqp_url).exit_code == 1
    assert numbers(amqp_url) == [1]


def test_it_replays_what_comes_later_and_ends_at_a_signal(
    amqp_url: str, checkbox: SandboxProcess, eventually: Callable[..., object]
) -> None:
    """A real process replays what comes later, and SIGTERM ends it with nobody left signed in."""
    put(amqp_url, [])
    process = commands.start(amqp_url, "dead-letters", "watch", "--interval", "PT5S")
    eventually(lambda: process.poll() is None)
    put(amqp_url, [1])
    eventually(lambda: ready(amqp_url, "fiscalize") == 1)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 0
    assert "1 replayed, 0 failed: SHIFT_NOT_OPEN shop-main/olena" in err
    assert tokens(checkbox) == 0
    with connect(amqp_url) as connection:
        connection.channel().queue_declare(DEAD_LETTERS, passive=True)


def test_a_broker_out_of_reach_is_told(amqp_url: str) -> None:
    """--once ends with exit code 1 and words; without it the next look may find it."""
    result = watch(f"amqp://guest:guest@127.0.0.1:{free_ports(1)[0]}/%2F")
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr


def test_a_short_interval_is_wrong_usage(amqp_url: str) -> None:
    """Checkbox is not to be asked every second."""
    assert watch(amqp_url, "--interval", "PT1S").exit_code == 2
