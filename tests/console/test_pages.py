"""The console's pages: who may see and change what, and what they show."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from config.settings import RUNBOOK_URL
from tests.cli.letters import SECRET_PHONE, numbers, put, ready
from tests.console.conftest import READ_TOKEN, TOKEN, Visitor
from worker.demo.free_ports import free_ports
from worker.demo.sandbox_process import SandboxProcess
from worker.rabbit.topology import DEAD_LETTERS

PAGES = [
    *("/", "/letters", "/replay", "/discard", "/cashiers", "/jobs", "/jobs/none", "/jobs/none.json"),
    *("/shifts/none", "/done", "/today", "/today.csv", "/orders", "/reconciliation"),
]
PROGRAM = "from worker.cli import main; main()"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_before_signing_in(console: str, path: str) -> None:
    """Every page leads to the sign-in."""
    with Visitor.of(console) as stranger:
        answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_wrong_token_opens_nothing(console: str) -> None:
    """Also from a page of somebody else, where the token is right."""
    with Visitor.of(console) as stranger:
        assert stranger.sign_in("another").status_code == 403
        assert (
            stranger.post("/sign-in", data={"token": TOKEN}, headers={"Origin": "http://a"}).status_code
            == 403
        )
        assert stranger.get("/").status_code == 303


def test_a_session_behind_tls_never_goes_without(console: str) -> None:
    """The console itself speaks plain HTTP; the browser names the scheme that it sees."""
    with Visitor.of(console) as visitor:
        origin = {"Origin": console.replace("http:", "https:")}
        cookie = visitor.post("/sign-in", data={"token": TOKEN}, headers=origin).headers["set-cookie"]
    assert "Secure" in cookie


def test_the_session_is_for_this_site_and_no_script(console: str) -> None:
    """The cookie is HttpOnly and SameSite=Strict, the pages run only our own script, and sign-out ends it."""
    with Visitor.of(console) as visitor:
        cookie = visitor.sign_in().headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        answer = visitor.get("/cashiers")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        csrf = re.findall(r'name="csrf" value="([^"]+)"', answer.text)[0]
        visitor.post("/sign-out", data={"csrf": csrf})
        assert visitor.get("/").status_code == 303


@pytest.mark.parametrize(
    ("origin", "csrf"),
    [("http://elsewhere", None), (None, None), ("null", None), ("same", "guessed"), ("same", "")],
)
def test_a_form_from_elsewhere_changes_nothing(
    amqp_url: str, console: str, visitor: Visitor, origin: str | None, csrf: str | None
) -> None:
    """Another origin, none, or without the session's word: 403, and the letters stay."""
    put(amqp_url, [1])
    known = re.findall(r'name="csrf" value="([^"]+)"', visitor.get("/cashiers").text)[0]
    visitor.headers.pop("origin")
    headers = {} if origin is None else {"Origin": console if origin == "same" else origin}
    form = {"csrf": known if csrf is None else csrf, "agreed": "1"}
    assert visitor.post("/replay", data=form, headers=headers).status_code == 403
    assert numbers(amqp_url) == [1]


def test_letters_are_grouped_by_code_with_the_next_step(amqp_url: str, visitor: Visitor) -> None:
    """The most frequent first, with how many each cashier has."""
    put(amqp_url, [1], code="TOTALS_MISMATCH")
    put(amqp_url, [2, 3])
    put(amqp_url, [4], cashier="petro")
    text = visitor.get("/").text
    assert re.findall(r"<code>([A-Z0-9_]+)</code></h2>", text) == ["SHIFT_NOT_OPEN", "TOTALS_MISMATCH"]
    assert "The shift is not open <code>" in text
    assert "opened in Checkbox, or open it with" in unescape(text)
    assert f'href="{RUNBOOK_URL}#shift_not_open"' in text
    assert "2 letters</a>" in text
    assert "30.30" in text  # the sum of three
    assert "Каса 1" in text
    assert numbers(amqp_url) == [1, 2, 3, 4]


def test_a_letter_is_shown_masked_and_as_text(amqp_url: str, visitor: Visitor) -> None:
    """Buyer and card are masked; what looks like markup in it is none."""
    put(amqp_url, [5], docnumber="<script>alert(1)</script>", detail='{"message":"<b>bold</b>"}')
    for page in ("/letters?code=SHIFT_NOT_OPEN", "/letters?order=00000000-0000-0000-0000-000000000005"):
        text = visitor.get(page).text
        assert "&lt;script&gt;" in text
        assert "<script>" not in text
        assert "<b>" not in text
    assert "444444" not in text
    assert SECRET_PHONE not in text
    assert "***" in text


def test_an_order_without_letters_is_said_so(amqp_url: str, visitor: Visitor) -> None:
    """No error, no empty page."""
    put(amqp_url, [])
    assert "No letter of order N-1 is there" in visitor.get("/letters?order=N-1").text
    assert "No letter waits" in visitor.get("/").text


def test_a_dry_run_counts_and_changes_nothing(amqp_url: str, visitor: Visitor) -> None:
    """What would go, by code, and what stays because it came back too often."""
    put(amqp_url, [1, 2])
    put(amqp_url, [3], replays=10)
    text = visitor.get("/replay?code=SHIFT_NOT_OPEN").text
    assert "2 letters would be replayed" in text
    assert "1 stays: it came back 10 times" in text
    assert numbers(amqp_url) == [1, 2, 3]


def test_a_replay_sends_what_was_agreed(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """No letter more than the page has shown, though more have come since; the job shows how far it is."""
    put(amqp_url, [1, 2])
    put(amqp_url, [3], code="TOTALS_MISMATCH")
    answer = visitor.submit("/replay?code=SHIFT_NOT_OPEN", agreed="2")
    assert answer.status_code == 303
    job = answer.headers["location"]
    put(amqp_url, [4])
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])
    assert "2 of 2 replayed" in visitor.get(job).text
    assert numbers(amqp_url, "fiscalize") == [1, 2]
    assert numbers(amqp_url) == [3, 4]


def test_a_replay_can_be_stopped(amqp_url: str, visitor: Visitor, eventually: Callable[..., object]) -> None:
    """The current letter is finished, the others stay."""
    put(amqp_url, range(100))
    job = visitor.submit("/replay").headers["location"]
    eventually(lambda: visitor.get(f"{job}.json").json()["done"] >= 1)
    assert visitor.submit(job).headers["location"] == job
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])
    sent = numbers(amqp_url, "fiscalize")
    assert 0 < len(sent) < 100
    assert numbers(amqp_url) == list(range(len(sent), 100))


@pytest.mark.parametrize("agreed", ["", "0", "-1", "many"])
def test_a_replay_of_nothing_in_particular_is_refused(amqp_url: str, visitor: Visitor, agreed: str) -> None:
    """The form has to say how many were agreed to."""
    put(amqp_url, [1])
    assert visitor.submit("/replay", agreed=agreed).status_code == 400
    assert numbers(amqp_url) == [1]


def test_cashiers_without_a_worker(checkbox: SandboxProcess, visitor: Visitor) -> None:
    """They are listed as they are configured, nobody is signed in, and the page says who could be asked."""
    text = unescape(visitor.get("/cashiers").text)
    assert "No worker knows of a check" in text
    assert "Not checked yet" in text
    assert text.count("Shift …") == 3
    csrf = re.findall(r'name="csrf" value="([^"]+)"', text)[0]
    answer = visitor.post("/cashiers", data={"csrf": csrf, "integration": "shop-main"})
    assert answer.headers["location"] == "/cashiers"
    assert "being checked now" in visitor.get("/cashiers").text
    assert checkbox.counters()["sign_ins"] == {}


def test_a_broker_out_of_reach_is_told(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with words, and status 503."""
    monkeypatch.setenv("FISCAL_RABBITMQ_URL", f"amqp://guest:guest@127.0.0.1:{free_ports(1)[0]}/%2F")
    answer = visitor.get("/")
    assert answer.status_code == 503
    assert "the broker cannot be reached" in answer.text


def test_a_queue_that_is_not_there_is_told(visitor: Visitor) -> None:
    """Most likely it is the wrong virtual host."""
    answer = visitor.get("/")
    assert answer.status_code == 503
    assert f"no queue {DEAD_LETTERS}" in answer.text


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, "console", "--port", "0", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_the_command_prints_address_and_token_and_ends_well(amqp_url: str, console: str) -> None:
    """SIGTERM in the middle of a replay: the current letter is finished, exit code 0, nothing is lost."""
    put(amqp_url, range(200))
    process = start()
    assert process.stderr
    url, token = process.stderr.readline().strip(), process.stderr.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    with Visitor.of(url.rstrip("/")) as visitor:
        assert visitor.sign_in(token.removeprefix("token: ")).status_code == 303
        visitor.submit("/replay")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    sent = numbers(amqp_url, "fiscalize")
    assert sorted([*sent, *numbers(amqp_url)]) == list(range(200))
    assert ready(amqp_url, DEAD_LETTERS) == 0


def test_the_token_may_come_from_a_file(console: str, tmp_path: Path) -> None:
    """It is not printed then; a short one is wrong usage."""
    file = tmp_path / "token"
    file.write_text("short\n")
    process = start("--token-file", str(file))
    assert process.wait(30) == 2
    file.write_text(f"{TOKEN}\n")
    process = start("--token-file", str(file))
    assert process.stderr
    with Visitor.of(process.stderr.readline().strip().rstrip("/")) as visitor:
        assert visitor.sign_in().status_code == 303
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_the_token_of_the_reader_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with the token that may only look is wrong usage."""
    monkeypatch.setenv("FISCAL_CONSOLE_READ_TOKEN", READ_TOKEN)
    file = tmp_path / "token"
    file.write_text(READ_TOKEN)
    process = start("--token-file", str(file))
    assert process.wait(30) == 2


def test_the_tokens_may_come_from_the_settings(console: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both open a session, and none is printed."""
    monkeypatch.setenv("FISCAL_CONSOLE_TOKEN", TOKEN)
    monkeypatch.setenv("FISCAL_CONSOLE_READ_TOKEN", READ_TOKEN)
    process = start()
    assert process.stderr
    url = process.stderr.readline().strip().rstrip("/")
    for token, shown in ((TOKEN, False), (READ_TOKEN, True)):
        with Visitor.of(url) as visitor:
            assert visitor.sign_in(token).status_code == 303
            assert ("read-only" in visitor.get("/jobs").text) is shown
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
