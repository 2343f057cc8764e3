"""Each fault does what it says, over real connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.sandbox.driver import Checkbox, sale
from worker.demo.sandbox_process import SandboxProcess
from worker.sandbox.faults import KINDS, Fault


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=2) as started:
        yield started


class Client:
    """A cashier who is signed in."""

    def __init__(self, process: SandboxProcess, login: str = "c0001") -> None:
        self._http = httpx2.Client(base_url=f"{process.url}/api/v1", timeout=10, trust_env=False)
        self.login = login
        self.sign_in()

    def sign_in(self) -> None:
        body = {"login": self.login, "password": f"secret-{self.login}"}
        token = self._http.post("/cashier/signin", json=body).json()["access_token"]
        self._http.headers["authorization"] = f"Bearer {token}"

    def sell(self, body: dict[str, Any] | None = None) -> httpx2.Response:
        return self._http.post("/receipts/sell", json=body or sale())

    def get(self, path: str) -> httpx2.Response:
        return self._http.get(path)


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.reset()
    return process


def test_the_connection_is_reset_after_the_commit(sandbox: SandboxProcess) -> None:
    """The client meets a reset, and the receipt is in the ledger."""
    client, body = Client(sandbox), sale()
    sandbox.fault("drop_after_commit", count=1, endpoint="POST /receipts/sell")
    with pytest.raises(httpx2.ReadError):
        client.sell(body)
    assert [entry["id"] for entry in sandbox.ledger()] == [body["id"]]
    assert sandbox.counters()["requests"]["POST /receipts/sell"] == {"dropped": 1}
    assert client.sell(body).json()["code"] == "receipt.already_exists"
    assert sandbox.counters()["faults"] == {"drop_after_commit": 1}


def test_the_connection_is_reset_before_the_commit(sandbox: SandboxProcess) -> None:
    """The client meets a reset, and nothing was made."""
    client, body = Client(sandbox), sale()
    sandbox.fault("drop_before_commit", count=1)
    with pytest.raises(httpx2.ReadError):
        client.sell(body)
    assert sandbox.ledger() == []
    assert client.sell(body).status_code == 201


def test_an_answer_is_late(sandbox: SandboxProcess) -> None:
    """The receipt is made at once, the answer comes later."""
    client = Client(sandbox)
    sandbox.fault("delay", count=1, seconds=0.4, endpoint="/receipts/sell")
    begun = time.monotonic()
    assert client.sell().status_code == 201
    assert time.monotonic() - begun >= 0.4


def test_an_answer_drips(sandbox: SandboxProcess) -> None:
    """The whole body comes, piece by piece."""
    client, body = Client(sandbox), sale()
    sandbox.fault("drip", count=1, seconds=0.4)
    begun = time.monotonic()
    assert client.sell(body).json()["id"] == body["id"]
    assert time.monotonic() - begun >= 0.4


def test_a_made_receipt_is_answered_with_null(sandbox: SandboxProcess) -> None:
    """201, the JSON literal null, and the receipt exists."""
    client, body = Client(sandbox), sale()
    sandbox.fault("null_body", count=1)
    answer = client.sell(body)
    assert (answer.status_code, answer.json()) == (201, None)
    assert client.get(f"/receipts/{body['id']}").status_code == 200


def test_an_answer_is_cut(sandbox: SandboxProcess) -> None:
    """201 with half a body, and the receipt exists."""
    client, body = Client(sandbox), sale()
    sandbox.fault("truncated_json", count=1)
    answer = client.sell(body)
    assert answer.status_code == 201
    with pytest.raises(ValueError):
        answer.json()
    assert client.get(f"/receipts/{body['id']}").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("html_503", 503), ("error_500", 500), ("html_200", 200)])
def test_a_page_comes_instead(sandbox: SandboxProcess, kind: str, status: int) -> None:
    """HTML, and nothing was made; with ``commit`` it was made all the same."""
    client, body = Client(sandbox), sale()
    sandbox.fault(kind, count=1)
    answer = client.sell(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert sandbox.ledger() == []
    sandbox.fault(kind, count=1, commit=True)
    assert client.sell(body).status_code == status
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("retry_after", [None, "7", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_too_many_requests(sandbox: SandboxProcess, retry_after: str | None) -> None:
    """429 with and without Retry-After (ASSUMED A5)."""
    client = Client(sandbox)
    sandbox.fault("rate_limited", count=1, retry_after=retry_after)
    answer = client.sell()
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, retry_after)
    assert client.sell().status_code == 201


def test_a_token_is_revoked_in_the_middle(sandbox: SandboxProcess) -> None:
    """401 base.credentials until the cashier signs in anew."""
    client = Client(sandbox)
    sandbox.fault("token_revoked", count=1)
    assert client.sell().json()["code"] == "base.credentials"
    assert client.sell().status_code == 401
    client.sign_in()
    assert client.sell().status_code == 201


def test_faults_keep_to_their_scope(sandbox: SandboxProcess) -> None:
    """Endpoint, cashier and receipt narrow a fault down."""
    first, second = Client(sandbox, "c0001"), Client(sandbox, "c0002")
    body = sale()
    sandbox.fault("error_500", cashier="c0002")
    sandbox.fault("html_503", receipt=body["id"], endpoint="POST /receipts/sell")
    assert first.sell().status_code == 201
    assert second.sell().status_code == 500
    assert first.sell(body).status_code == 503
    assert first.get(f"/receipts/{body['id']}").status_code == 404
    sandbox.clear_faults()
    assert second.sell().status_code == 201


def test_a_sign_in_can_fail_for_one_cashier(sandbox: SandboxProcess) -> None:
    """The login in the body is the scope before there is a token."""
    sandbox.fault("error_500", cashier="c0002", endpoint="POST /cashier/signin")
    Client(sandbox, "c0001")
    with pytest.raises(ValueError):
        Client(sandbox, "c0002")


def test_a_receipt_stays_created() -> None:
    """CREATED for as long as told, then DONE."""
    checkbox = Checkbox()
    checkbox.fault("created_for,seconds=100")
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token).body["id"]
    checkbox.time += 99
    assert checkbox.receipt(token, receipt_id)["status"] == "CREATED"
    checkbox.time += 1
    assert checkbox.receipt(token, receipt_id)["status"] == "DONE"


def test_a_receipt_ends_in_error() -> None:
    """The words are in the transaction, there is no number, and no money is counted."""
    checkbox = Checkbox()
    checkbox.fault("error_receipt,words=Помилка підпису,count=1")
    token = checkbox.sign_in()
    created = checkbox.sell(token).body
    assert (created["status"], created["transaction"]["status"]) == ("CREATED", "PENDING")
    checkbox.time += 2
    receipt = checkbox.receipt(token, created["id"])
    assert (receipt["status"], receipt["fiscal_code"]) == ("ERROR", None)
    assert receipt["transaction"]["response_error_message"] == "Помилка підпису"
    assert receipt["shift"]["balance"]["cash_sales"] == 0


def test_the_tax_service_is_silent() -> None:
    """Automatic offline: 201 CREATED with a number at once, the same number when it is DONE."""
    checkbox = Checkbox()
    checkbox.fault("offline,seconds=30,count=1")
    token = checkbox.sign_in()
    created = checkbox.sell(token).body
    assert (created["status"], created["is_created_offline"]) == ("CREATED", True)
    assert created["fiscal_code"].startswith("TEST-")
    assert created["tax_url"]
    assert created["control_number"]
    info = checkbox.get("/cash-registers/info", license_key="test-c0001").body
    assert (info["offline_mode"], info["stay_offline"]) == (True, False)
    checkbox.time += 30
    done = checkbox.receipt(token, created["id"])
    assert (done["status"], done["fiscal_code"]) == ("DONE", created["fiscal_code"])
    assert checkbox.sell(token).body["is_created_offline"] is False


def test_the_context_is_lost() -> None:
    """No answer about the receipt gives it back, the ledger does."""
    checkbox = Checkbox()
    checkbox.fault("no_context")
    token = checkbox.sign_in()
    created = checkbox.sell(token, context={"request": "r"}).body
    assert created["context"] is checkbox.receipt(token, created["id"])["context"] is None
    assert checkbox.control("GET", "/ledger").body[0]["context"] == {"request": "r"}


def test_an_answer_has_the_names_of_2020() -> None:
    """``sum`` and ``rest`` stand for ``total_sum`` and ``total_rest``."""
    checkbox = Checkbox()
    checkbox.fault("old_names")
    token = checkbox.sign_in()
    body = checkbox.call("POST", "/receipts/sell", sale(), token=token, checked=False).body
    assert (body["sum"], body["rest"]) == (15_000, 0)
    assert not {"total_sum", "total_rest"} & body.keys()


def test_a_seed_repeats_the_faults() -> None:
    """The same seed strikes the same requests, another seed others, in the ordered share."""

    def struck(seed: int) -> list[bool]:
        checkbox = Checkbox(throttle=False)
        checkbox.state.forget()
        checkbox.state.faults = type(checkbox.state.faults)(seed)
        checkbox.fault("error_500=0.3")
        draw = checkbox.state.faults.draw
        return [bool(draw("exchange", "GET /status", None, None)) for _ in range(300)]

    assert struck(1) == struck(1) != struck(2)
    assert 60 < sum(struck(1)) < 120


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_fault_can_be_ordered_on_the_command_line(kind: str) -> None:
    """``kind=probability,setting=value`` and nothing else."""
    fault = Fault.parse(f"{kind}=0.5,count=3,seconds=1.5,receipt={uuid4()},commit=false")
    assert (fault.kind, fault.probability, fault.count, fault.seconds) == (kind, 0.5, 3, 1.5)
    assert fault.commit is False


@pytest.mark.parametrize("text", ["no_such_fault", "delay,colour=red", "delay=often", "delay,seconds"])
def test_a_wrong_fault_is_refused(text: str) -> None:
    """An unknown kind or setting, or a value that does not fit."""
    with pytest.raises(ValueError):
        Fault.parse(text)


@pytest.mark.parametrize(
    ("endpoint", "by_id", "by_search"),
    [("GET /receipts/{receipt_id}", 404, 1), ("GET /receipts/search", 200, 0), (None, 404, 0)],
)
def test_a_receipt_is_shown_a_while_after_its_post(
    sandbox: SandboxProcess, endpoint: str | None, by_id: int, by_search: int
) -> None:
    """By the one or the other endpoint, or by none; its id is taken meanwhile, and with time it is there."""
    client, body = Client(sandbox), sale()
    sandbox.fault("hidden_for", seconds=30, endpoint=endpoint)
    client.sell(body)
    assert client.sell(body).json()["code"] == "receipt.already_exists"
    assert client.get(f"/receipts/{body['id']}").status_code == by_id
    assert len(client.get("/receipts/search").json()["results"]) == by_search
    sandbox.advance(31)
    assert client.get(f"/receipts/{body['id']}").status_code == 200
    assert len(client.get("/receipts/search").json()["results"]) == 1


def test_the_search_answers_in_the_short_form_and_in_short_pages(sandbox: SandboxProcess) -> None:
    """ASSUMED: which members the short form has; those that it leaves out are known."""
    client = Client(sandbox)
    for _ in range(3):
        client.sell()
    sandbox.set_options(search_form="short", page_limit=2)
    page = client.get("/receipts/search?limit=100").json()
    rest = client.get("/receipts/search?limit=100&offset=2").json()
    assert page["meta"] == {"limit": 2, "offset": 0}
    assert [len(page["results"]), len(rest["results"])] == [2, 1]
    assert not {"context", "related_receipt_id", "transaction", "created_at"} & page["results"][0].keys()
    assert page["results"][0]["type"] == "SELL"


@pytest.mark.parametrize(
    ("kind", "settings", "status", "body"),
    [
        (
            "refused",
            {"code": "shift.not_opened", "words": "?"},
            400,
            {"code": "shift.not_opened", "message": "?"},
        ),
        ("subscription_ended", {}, 402, {"code": None, "message": "Підписка скінчилася"}),
        ("forbidden", {}, 403, {"code": None, "message": "Недостатньо прав касира"}),
        ("gateway_json", {"status": 404}, 404, {"message": "no Route matched with those values"}),
    ],
)
def test_a_call_is_refused_on_demand(
    sandbox: SandboxProcess, kind: str, settings: dict[str, Any], status: int, body: dict[str, Any]
) -> None:
    """In Checkbox's form, or in a gateway's."""
    client = Client(sandbox)
    sandbox.fault(kind, count=1, endpoint="GET /cashier/shift", **settings)
    answer = client.get("/cashier/shift")
    assert (answer.status_code, answer.json()) == (status, body)
