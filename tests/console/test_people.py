"""The console for people: languages, two tokens, names in the audit log, and jobs that hold nobody up."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from html import unescape

import pytest

from tests.cli.letters import body, numbers, put, ready
from tests.console.conftest import READ_TOKEN, TOKEN, Visitor
from worker.console import application
from worker.console.language import preferred
from worker.rabbit.topology import DEAD_LETTERS


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("uk-UA,uk;q=0.9,en;q=0.8", "uk"),
        ("de,ru;q=0.4,en;q=0.3", "ru"),
        ("en;q=0.5,uk;q=0.9", "uk"),
        ("de", "en"),
        ("uk;q=0,en;q=0.1", "en"),
        ("uk;q=many, *", "en"),
        ("", "en"),
    ],
)
def test_the_browser_says_which_language(accepted: str, language: str) -> None:
    """By its weights; English where it knows none of ours."""
    assert preferred(accepted) == language


def test_a_chosen_language_stays(amqp_url: str, visitor: Visitor) -> None:
    """The switch leads back to the page and nowhere else; a language that is not ours is not taken."""
    put(amqp_url, [1])
    visitor.headers["Accept-Language"] = "uk"
    assert "На людину чекає 1 запит." in visitor.get("/").text
    answer = visitor.get("/language", params={"to": "ru", "back": "/letters?code=A"})
    assert answer.headers["location"] == "/letters?code=A"
    assert "Человека ждёт 1 запрос." in visitor.get("/").text
    assert '<html lang="ru">' in visitor.get("/jobs/none").text
    for back in ("https://elsewhere/", "//elsewhere", "/\\elsewhere"):
        assert visitor.get("/language", params={"to": "xx", "back": back}).headers["location"] == "/"
    assert "Человека ждёт" in visitor.get("/").text


def test_the_runbook_is_in_the_language_of_the_reader(amqp_url: str, visitor: Visitor) -> None:
    """Its file lies beside the English one."""
    put(amqp_url, [1])
    for language, name in (("uk", "runbook.uk.md"), ("ru", "runbook.ru.md"), ("en", "runbook.md")):
        visitor.headers["Accept-Language"] = language
        assert f"/{name}#shift_not_open" in visitor.get("/").text


def test_who_may_look_may_change_nothing(amqp_url: str, console: str) -> None:
    """The other token sees all pages, without a button; what it sends all the same is refused."""
    put(amqp_url, [1])
    put(amqp_url, [2], code="TOTALS_MISMATCH")
    with Visitor.of(console) as reader:
        assert reader.sign_in(READ_TOKEN).status_code == 303
        for page in ("/", "/letters", "/replay", "/discard", "/cashiers", "/jobs", "/done"):
            text = reader.get(page).text
            assert 'action="/replay"' not in text
            assert 'href="/replay' not in text
            assert 'action="/export"' not in text
            assert 'action="/shifts' not in text
        csrf = text.split('name="csrf" value="')[1].split('"')[0]
        for path in (
            "/replay",
            "/discard",
            "/export",
            "/jobs/one/stop",
            "/shifts",
            "/shifts/close",
            "/shifts/open",
        ):
            answer = reader.post(path, data={"csrf": csrf, "agreed": "1"})
            assert answer.status_code == 403
            assert "read-only" in answer.text
    assert numbers(amqp_url) == [1, 2]


def test_the_audit_log_names_who_the_proxy_names(
    amqp_url: str, visitor: Visitor, audit: io.StringIO, eventually: Callable[..., object]
) -> None:
    """Who, what, how many, and the outcome."""
    put(amqp_url, [1, 2])
    visitor.headers["X-Forwarded-User"] = "oksana"
    job = visitor.submit("/replay?code=SHIFT_NOT_OPEN").headers["location"]
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])
    line = json.loads(audit.getvalue())
    assert line["event"] == "dead_letters_replayed"
    assert (line["actor"], line["wanted"], line["count"]) == ("oksana", "code SHIFT_NOT_OPEN", 2)
    assert line["outcome"] == "0 fiscalized, 0 came back, 2 still waiting"
    assert "2 of 2 replayed: 0 fiscalized, 0 came back, 2 still waiting" in visitor.get(job).text
    assert "oksana" in visitor.get("/jobs").text


def test_a_name_that_no_proxy_vouches_for_is_not_taken() -> None:
    """Anybody can send the header."""
    access = application.Access(TOKEN)
    sign_ins = application.SignIns(access, time.monotonic)
    scope = {"type": "http", "headers": [(b"x-forwarded-user", b"oksana")], "client": ("192.0.2.1", 1)}
    assert sign_ins.actor(application.Request(scope)) == "console at 192.0.2.1"


def test_a_name_may_have_any_letters() -> None:
    """As proxies send it, in UTF-8."""
    sign_ins = application.SignIns(application.Access(TOKEN, trusts_forwarded_user=True), time.monotonic)
    scope = {"type": "http", "headers": [(b"x-forwarded-user", "Оксана\n".encode())], "client": None}
    assert sign_ins.actor(application.Request(scope)) == "Оксана"


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_wrong_addresses_have_a_page(visitor: Visitor, language: str) -> None:
    """404 and 405, in the language of the reader."""
    visitor.headers["Accept-Language"] = language
    words = {"uk": "Такої сторінки немає", "ru": "Такой страницы нет", "en": "There is no such page"}
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert words[language] in answer.text
    assert answer.headers["content-security-policy"]
    assert visitor.post("/letters").status_code == 405


def test_a_mistake_of_the_console_has_a_page(
    visitor: Visitor, audit: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500, with nothing of the mistake in it; the log has the place, and not the words."""

    word = "-".join(("a", "secret"))  # not as it is in the stack's lines

    def broken(*_: object) -> None:
        raise RuntimeError(word)

    monkeypatch.setattr("worker.console.snapshot.Snapshot.view", broken)
    answer = visitor.get("/")
    assert answer.status_code == 500
    assert "The console made a mistake" in answer.text
    assert word not in answer.text + audit.getvalue()
    assert json.loads(audit.getvalue())["event"] == "page_failed"


def test_no_replay_where_it_cannot_help(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """The buttons follow the advice; a receipt that was hidden only may be replayed."""
    put(amqp_url, [1], code="TOTALS_MISMATCH")
    text = visitor.get("/").text
    assert 'href="/replay' not in text
    assert 'href="/discard?code=TOTALS_MISMATCH"' in text
    assert "1 stays: a replay of the same message ends the same way" in visitor.get("/replay").text
    put(amqp_url, [2], code="RECEIPT_MISMATCH", detail='{"reason":"the receipt\'s id is taken"}')
    eventually(lambda: "1 letter would be replayed" in visitor.get("/replay").text)
    put(amqp_url, [3])
    eventually(lambda: "N-3<" in visitor.get("/letters?code=SHIFT_NOT_OPEN").text)
    assert 'href="/discard' not in visitor.get("/letters?code=SHIFT_NOT_OPEN").text


def test_only_what_somebody_has_a_copy_of_is_discarded(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """The copy holds the whole messages, as the command's; what came later stays."""
    put(amqp_url, [1, 2], code="TOTALS_MISMATCH")
    put(amqp_url, [3])
    address = "/discard?code=TOTALS_MISMATCH"
    assert visitor.submit(address).status_code == 409
    form = {"csrf": visitor.get(address).text.split('name="csrf" value="')[1].split('"')[0]}
    copy = visitor.post("/export", data={**form, "code": "TOTALS_MISMATCH"})
    assert [json.loads(line)["body"].encode() for line in copy.text.splitlines()] == [body(1), body(2)]
    assert "attachment" in copy.headers["content-disposition"]
    put(amqp_url, [4], code="TOTALS_MISMATCH")
    job = visitor.submit(address, agreed="9").headers["location"]
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])
    assert "2 of 2 discarded" in visitor.get(job).text
    assert numbers(amqp_url) == [3, 4]


def test_long_lists_have_pages_and_a_search(amqp_url: str, visitor: Visitor) -> None:
    """A hundred a page; a part of the number or uuid is enough, whatever its case, with blanks around."""
    put(amqp_url, range(1000, 1230))
    assert "N-1100" not in visitor.get("/letters").text
    text = visitor.get("/letters?page=2").text
    assert "page 2 of 3" in text
    assert "N-1100<" in text
    assert "N-1199<" in text
    assert "N-1229<" in visitor.get("/letters?page=99").text
    found = visitor.get("/letters", params={"order": "  n-122 "}).text
    assert "10 letters" in found
    assert "request-1121" in visitor.get("/letters", params={"order": "REQUEST-1121"}).text


def test_the_largest_sums_come_first_where_asked(amqp_url: str, visitor: Visitor) -> None:
    """Sums are those of the orders; a message without one has none."""
    put(amqp_url, [1])
    put(amqp_url, [2], content=body(2).replace(b"10.1", b"1234.5"))
    put(amqp_url, [3], content=b"no JSON")
    text = visitor.get("/letters?sort=sum").text
    assert text.index("N-2<") < text.index("N-1<") < text.index("N-3<")
    assert "1,234.50" in text


def test_letters_without_an_order_can_be_opened(amqp_url: str, visitor: Visitor) -> None:
    """By a link of their own."""
    put(amqp_url, [1], order=None, docnumber=None, request=None, code="INVALID_MESSAGE", content=b"no JSON")
    link = visitor.get("/letters").text.split('href="/letters?letter=')[1].split('"')[0]
    text = visitor.get(f"/letters?letter={link}").text
    assert "no JSON" in text
    assert "The message has an error" in text
    assert "not there any more" in visitor.get("/letters?letter=gone").text


def test_letters_that_the_broker_refuses_are_named(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """Which, and why; they stay."""
    put(amqp_url, [1], queue="gone")
    job = visitor.submit("/replay").headers["location"]
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])
    text = unescape(visitor.get(job).text)
    assert "1 was refused and is still there" in text
    assert 'N-1: <span lang="en">its queue is not there' in text
    assert numbers(amqp_url) == [1]


def test_a_long_job_holds_nobody_up(
    amqp_url: str, visitor: Visitor, console: str, eventually: Callable[..., object]
) -> None:
    """While letters go one by one a colleague reads on; another job takes other letters, after its turn."""
    put(amqp_url, range(60))
    put(amqp_url, range(100, 103), cashier="petro")
    first = visitor.submit("/replay?cashier=olena").headers["location"]
    eventually(lambda: visitor.get(f"{first}.json").json()["done"] >= 2)
    with Visitor.of(console) as colleague:
        colleague.sign_in()
        text = colleague.get("/letters?cashier=olena").text
        assert "in a job" in text
        assert "Nothing would be replayed" in colleague.get("/replay?cashier=olena").text
        assert colleague.get("/").status_code == 200
        second = colleague.submit("/replay?cashier=petro").headers["location"]
        assert "Waiting for another job to end" in colleague.get(second).text
        assert "Jobs (2)" in colleague.get("/").text
        colleague.submit(first)
        eventually(lambda: colleague.get(f"{second}.json").json()["over"])
    sent = numbers(amqp_url, "fiscalize")
    assert sent[-3:] == [100, 101, 102]
    assert len(sent) == len(set(sent))
    assert ready(amqp_url, DEAD_LETTERS) == 63 - len(sent)


def test_a_job_that_waits_can_be_stopped(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """Its letters stay, and are free again."""
    put(amqp_url, range(40))
    put(amqp_url, [100], cashier="petro")
    first = visitor.submit("/replay?cashier=olena").headers["location"]
    second = visitor.submit("/replay?cashier=petro").headers["location"]
    visitor.submit(second)
    eventually(lambda: visitor.get(f"{second}.json").json()["over"])
    assert "1 letter would be replayed" in visitor.get("/replay?cashier=petro").text
    visitor.submit(first)
    eventually(lambda: visitor.get(f"{first}.json").json()["over"])
    assert 100 in numbers(amqp_url)


def test_a_broker_that_went_away_leaves_the_last_picture(
    amqp_url: str, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., object]
) -> None:
    """With the time that it is of, and why it is not newer."""
    put(amqp_url, [1])
    assert "1 letter" in visitor.get("/").text
    monkeypatch.setenv("FISCAL_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:1/%2F")
    eventually(lambda: "could not be read again" in visitor.get("/").text)
    assert "N-1<" in visitor.get("/letters").text
