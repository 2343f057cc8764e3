"""The integrations from an address: fetched by one, read by all, and only what is sound counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.settings import Settings
from tests.integrations.serving import Serving, serving
from tests.system.tls import Authority, TlsFront
from worker.app import integrations_of
from worker.integrations.address import LONGEST, Address, NotFetched
from worker.integrations.polling import Polling
from worker.interprocess.shared_document import SharedDocument


def shop(name: str, **members: Any) -> dict[str, Any]:
    cashier = {"id": "x", "login": "x", "password": "p"}
    return {"id": name, "cashiers": [cashier], "tax_rates": [{"rate": 20, "code": 1}], **members}


def document(*shops: dict[str, Any]) -> dict[str, Any]:
    return {"integrations": list(shops)}


class Desk:
    """An address, who polls it, and who reads what came of that."""

    def __init__(self, place: Serving) -> None:
        self.place = place
        self.shared = SharedDocument(LONGEST + 1024)
        self.polling = Polling(Address(place.url, "t0ken"), self.shared)
        self.watch = integrations_of(Settings(integrations_url=place.url), self.shared)

    def poll(self) -> list[str]:
        """The ids in force after it."""
        self.polling.poll()
        self.watch.look()
        self.watch.look()
        return list(self.watch.current.in_force)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as place:
        yield Desk(place)


def test_what_is_unchanged_is_not_sent_again(desk: Desk) -> None:
    """With the token and the ETag of the last answer; 304 leaves everything as it is."""
    desk.place.put(document(shop("a")))
    assert desk.poll() == ["a"]
    version = desk.shared.version
    assert desk.poll() == ["a"]
    assert desk.shared.version == version
    first, second = desk.place.requests
    assert first["Authorization"] == second["Authorization"] == "Bearer t0ken"
    assert "If-None-Match" not in first
    assert second["If-None-Match"] == desk.place.etag
    desk.place.put(document(shop("a"), shop("b")))
    assert desk.poll() == ["a", "b"]


def test_yaml(desk: Desk) -> None:
    """The same document in its other form."""
    desk.place.put(b"integrations:\n  - {id: a, cashiers: [{id: x, pin_code: 0123, license_key: k}]}\n")
    assert desk.poll() == ["a"]
    pin_code = desk.watch.current.in_force["a"].cashiers["x"].pin_code
    assert pin_code is not None
    assert pin_code.get_secret_value() == "0123"


def _status(place: Serving) -> None:
    place.status, place.etag, place.body = 500, None, b'{"integrations": []}'


def _redirect(place: Serving) -> None:
    place.status, place.etag, place.location = 302, None, place.url + "&again"


def _half(place: Serving) -> None:
    place.etag, place.length = None, len(place.body) + 1000


def _large(place: Serving) -> None:
    """A sound document but for its size."""
    place.put(json.dumps(document(shop("large"))).encode() + b" " * 50_000_000)


def _half_of_the_text(place: Serving) -> None:
    place.put(place.body[:-10])


def _without_a_list(place: Serving) -> None:
    place.put({"error": "not now"})


def _empty_list(place: Serving) -> None:
    place.put({"integrations": []})


def _bomb(place: Serving) -> None:
    """Some kilobytes that stand for a million cashiers."""
    rows = "".join(f"  - {{id: i{number}, cashiers: *c}}\n" for number in range(1_000))
    listed = ", ".join(["&one {id: c}", *["*one"] * 999])
    place.put(f"integrations:\n  - {{id: i, cashiers: &c [{listed}]}}\n{rows}".encode())


def _page(place: Serving) -> None:
    place.put(b"<html><body>integrations</body></html>")


@pytest.mark.parametrize(
    "spoil",
    [
        *(_status, _redirect, _half, _large),
        *(_half_of_the_text, _without_a_list, _empty_list, _page, _bomb),
    ],
)
def test_what_is_no_answer(desk: Desk, spoil: Any) -> None:
    """The last version stays, also that of each row; the next sound answer counts."""
    desk.place.put(document(shop("a")))
    desk.poll()
    spoil(desk.place)
    assert desk.poll() == ["a"]
    assert desk.polling.fault is not None or desk.watch.version.faults
    asked = len(desk.place.requests)
    assert asked == 2, "no redirect is followed, and nothing is tried twice"
    desk.place.put(document(shop("b")))
    assert desk.poll() == ["b"]
    assert desk.polling.fault is None
    assert desk.watch.version.faults == ()


def test_nothing_new_where_nothing_is_known(desk: Desk) -> None:
    """304 to the first question is no answer."""
    desk.place.status, desk.place.body = 304, b""
    assert desk.poll() == []
    assert desk.polling.fault == "status 304 instead of 200"
    assert desk.polling.awaited == desk.polling.fault


def test_an_address_that_is_down(desk: Desk) -> None:
    """Nobody listens: the last version stays."""
    desk.place.put(document(shop("a")))
    desk.poll()
    with serving() as gone:
        nobody = gone.url
    desk.polling = Polling(Address(nobody, None), desk.shared)
    assert desk.poll() == ["a"]
    assert desk.polling.fault == "no answer: connect_error"


def test_an_address_that_hangs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up; here after half a second instead of 10."""
    from worker.integrations import address

    monkeypatch.setattr(address, "_TIMEOUTS", address.Timeouts(whole=0.5))
    desk.place.answers.clear()
    assert desk.poll() == []
    assert desk.polling.fault == "no answer: timeout"
    desk.place.answers.set()


def test_the_first_answer_may_be_empty(desk: Desk) -> None:
    """Nobody had anything before."""
    desk.place.put(document())
    assert desk.poll() == []
    assert desk.watch.has_any
    assert desk.watch.version.faults == ()


def test_nothing_of_the_machine_is_read_for_it(desk: Desk) -> None:
    """Secrets that point, and an address for Checkbox, are mistakes of their own rows."""
    a, b, c = shop("a"), shop("b"), shop("c", checkbox_url="http://127.0.0.1:1/steal")
    a["cashiers"][0]["password"] = "file:/etc/passwd"
    a["cashiers"].append({"id": "y", "login": "env:A", "password": "p"})
    a["cashiers"].append({"id": "z", "pin_code": "1", "license_key": "file:/etc/hostname"})
    desk.place.put(document(a, b, c))
    assert desk.poll() == ["a", "b"]
    rows = desk.watch.current.rows
    assert not rows["a"].in_force or not rows["a"].in_force.cashiers
    assert [problem.path for problem in rows["a"].all_problems] == [
        "/cashiers/0/password",
        "/cashiers/1/login",
        "/cashiers/2/license_key",
    ]
    assert [problem.path for problem in rows["c"].problems] == ["/checkbox_url"]
    told = json.dumps([list(lines) for lines in desk.watch.version.problems.values()])
    assert "root:" not in told
    assert "/etc/passwd" not in told
    assert "steal" not in told


def test_a_process_that_takes_over_knows_the_etag(desk: Desk) -> None:
    """Half a document that its predecessor left is none: then the whole is asked for."""
    desk.place.put(document(shop("a")))
    desk.poll()
    desk.polling = Polling(Address(desk.place.url, None), desk.shared)
    desk.poll()
    assert desk.place.requests[-1]["If-None-Match"] == desk.place.etag
    desk.shared._memory[100] ^= 1  # noqa: SLF001 - as a process leaves it that is killed while it writes
    desk.poll()
    assert "If-None-Match" not in desk.place.requests[-1]
    assert desk.shared.read() is not None


def test_the_certificate_is_checked(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody vouches for is no answer; with the operators' authority it is one."""
    authority = Authority(tmp_path / "tls")
    port = urlsplit(desk.place.url).port
    assert port is not None
    with TlsFront(port, authority) as front:
        url = f"https://localhost:{front.port}/integrations"
        with pytest.raises(NotFetched, match="no answer: connect_error"):
            Address(url, "t0ken").fetch("")
        assert desk.place.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
        assert Address(url, "t0ken").fetch("") is not None
