"""`doctor` finds what is wrong with a set-up, names it, and touches nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pika
import pytest
import typer
import yaml
from click.testing import Result
from typer.testing import CliRunner

from tests.builders import a_cashier, an_integration, configured
from tests.cli.altered import Altered
from worker.checkbox.client import CheckboxClient
from worker.checks.cashier import Row
from worker.checks.integration import rows_to_check
from worker.cli.doctor import doctor
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.operators.doctor import examination
from worker.operators.doctor.examination import SIDE_BY_SIDE, Pace
from worker.operators.doctor.finding import Finding, ok
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, Topology

CONFIGURED = Path(__file__).parents[2] / "docs" / "examples" / "integrations.yaml"
SECRETS = ("olena-secret", "petro-secret", "guest:guest", "olena-key", "wrong-secret", "archive-token")
ME = "/api/v1/cashier/me"
PAST = "2020-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def checkbox() -> Iterator[SandboxProcess]:
    """One sandbox for all; emptied before each test that uses it through ``place``."""
    with SandboxProcess(integrations=CONFIGURED) as sandbox:
        yield sandbox


@contextmanager
def consuming(url: str, topology: Topology, *queues: str) -> Iterator[None]:
    """Everything declared, and a consumer on the queues, as a worker and Bimp have."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        topology.declare(channel)
        for queue in queues:
            channel.basic_consume(queue, lambda *_: None)
        yield


class Place:
    """A set-up in which all is well, until a test breaks it."""

    def __init__(self, vhost: VirtualHost, checkbox: SandboxProcess, folder: Path) -> None:
        self.vhost = vhost
        self.checkbox = checkbox
        self.folder = folder
        self.stack = ExitStack()
        self.topology = Topology()
        self.queues = (*self.topology.consumed, EVENTS_QUEUE)
        self.is_declared = True
        self.document: dict[str, Any] = yaml.safe_load(CONFIGURED.read_text())
        self.environment = {"FISCAL_RABBITMQ_URL": vhost.url, "FISCAL_CHECKBOX_URL": checkbox.url}

    @property
    def integration(self) -> Any:
        return self.document["integrations"][0]

    @property
    def olena(self) -> Any:
        return self.integration["cashiers"][0]

    def alter(self, members: dict[str, dict[str, Any]], headers: dict[str, str] | None = None) -> None:
        altered = self.stack.enter_context(Altered(self.checkbox.url, members, headers))
        self.environment["FISCAL_CHECKBOX_URL"] = altered.url

    def doctor(self, *arguments: str) -> Result:
        file = self.folder / "integrations.yaml"
        if not file.exists():
            file.write_text(yaml.safe_dump(self.document, allow_unicode=True))
        environment = {"FISCAL_INTEGRATIONS_FILE": str(file), **self.environment}
        app = typer.Typer()
        app.command()(doctor)
        with ExitStack() as stack:
            if self.is_declared:
                stack.enter_context(consuming(self.vhost.url, self.topology, *self.queues))
            return CliRunner().invoke(app, arguments, env=environment)

    def findings(self, *arguments: str) -> tuple[int, list[dict[str, str]]]:
        result = self.doctor("--json", *arguments)
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def place(vhost: VirtualHost, checkbox: SandboxProcess, tmp_path: Path) -> Iterator[Place]:
    checkbox.reset()
    one = Place(vhost, checkbox, tmp_path)
    with one.stack:
        yield one


def test_a_sound_set_up_has_nothing_wrong(place: Place) -> None:
    """Exit code 0; broker, topology, consumers, sign-in, shift and taxes have all been looked at."""
    code, found = place.findings()
    assert [one for one in found if one["state"] == "wrong"] == []
    assert code == 0
    looked_at = {"broker", "topology", "consumers", "checkbox", "clock", "sign-in", "shift", "tax rates"}
    assert {one["check"] for one in found} >= looked_at
    assert any("RabbitMQ 3." in one["seen"] or "RabbitMQ 4." in one["seen"] for one in found)


def broker_down(place: Place) -> None:
    place.environment["FISCAL_RABBITMQ_URL"] = f"amqp://guest:guest@127.0.0.1:{free_ports(1)[0]}/%2F"


def broker_refuses_the_password(place: Place) -> None:
    place.environment["FISCAL_RABBITMQ_URL"] = place.vhost.url.replace("guest:guest", "guest:wrong-secret")


def no_such_virtual_host(place: Place) -> None:
    place.environment["FISCAL_RABBITMQ_URL"] = place.vhost.url + "-other"


def second_address_down(place: Place) -> None:
    other = f"amqp://guest:guest@127.0.0.1:{free_ports(1)[0]}/%2F"
    place.environment["FISCAL_RABBITMQ_URL"] = f"{place.vhost.url};{other}"


def nothing_declared(place: Place) -> None:
    place.is_declared = False


def queues_of_another_type(place: Place) -> None:
    place.topology = Topology(queue_type="classic")


def no_worker(place: Place) -> None:
    place.queues = (EVENTS_QUEUE,)


def nobody_waits_for_short_waits(place: Place) -> None:
    place.queues = tuple(queue for queue in place.queues if queue != place.topology.follow_up)


def nobody_listens(place: Place) -> None:
    place.queues = place.topology.consumed


def file_with_a_mistake(place: Place) -> None:
    place.integration["tax_rates"][0]["code"] = "one"


def secret_not_there(place: Place) -> None:
    place.olena["password"] = "env:OLENA_PASSWORD"


def checkbox_down(place: Place) -> None:
    place.environment["FISCAL_CHECKBOX_URL"] = f"http://127.0.0.1:{free_ports(1)[0]}"


def not_checkbox(place: Place) -> None:
    @contextmanager
    def somebody_else() -> Iterator[str]:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Not in a test's output."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()

    place.environment["FISCAL_CHECKBOX_URL"] = place.stack.enter_context(somebody_else())


def wrong_password(place: Place) -> None:
    place.olena["password"] = "wrong-secret"


def wrong_licence_key(place: Place) -> None:
    place.olena["license_key"] = "olena-key"


def no_shift(place: Place) -> None:
    place.checkbox.close_shift("olena")


def old_shift(place: Place) -> None:
    place.checkbox.close_shift("olena")
    opened_at = datetime.now(UTC) - timedelta(hours=24, minutes=1)
    place.checkbox.open_shift("olena", opened_at.isoformat())


def _rolls_over(place: Place) -> None:
    place.integration["shifts"] = "auto"
    place.integration["rollover_after"] = "PT20H"
    for row in place.integration["cashiers"]:
        row["license_key"] = f"test-{row['login']}"


def shift_that_nobody_rolls_over(place: Place) -> None:
    _rolls_over(place)
    place.checkbox.close_shift("olena")
    place.checkbox.open_shift("olena", (datetime.now(UTC) - timedelta(hours=21)).isoformat())


def register_of_a_colleague(place: Place) -> None:
    place.integration["shifts"] = "auto"
    for row in place.integration["cashiers"]:
        row["license_key"] = "test-petro"
    place.checkbox.close_shift("olena")


def code_that_checkbox_has_not(place: Place) -> None:
    place.integration["tax_rates"][1]["code"] = 4


def code_of_another_rate(place: Place) -> None:
    rates = place.integration["tax_rates"]
    rates[0]["code"], rates[1]["code"] = rates[1]["code"], rates[0]["code"]


def key_ended(place: Place) -> None:
    place.alter({ME: {"certificate_end": PAST}})


def key_cannot_sign(place: Place) -> None:
    _rolls_over(place)
    place.checkbox.close_shift("olena")
    place.alter({"/api/v1/cashier/check-signature": {"shift_open_possibility": False}})


def subscription_ended(place: Place) -> None:
    place.alter({ME: {"organization": {"subscription_exp": "2020-01-01"}}})


def cashier_blocked(place: Place) -> None:
    place.alter({ME: {"blocked": PAST}})


def live_cashier_at_a_test_register(place: Place) -> None:
    place.olena["license_key"] = "test-olena"
    place.alter({ME: {"is_test": False}})


def register_blocked(place: Place) -> None:
    place.olena["license_key"] = "test-olena"
    place.alter({"/api/v1/cash-registers/info": {"emergency_details": "Касу заблоковано"}})


def clock_is_off(place: Place) -> None:
    place.alter({}, {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"})


def archive_check_down(place: Place) -> None:
    place.environment["FISCAL_ARCHIVE_CHECK_URL"] = f"http://127.0.0.1:{free_ports(1)[0]}/{{orderUuid}}"
    place.environment["FISCAL_ARCHIVE_CHECK_TOKEN"] = "archive-token"


@pytest.mark.parametrize(
    ("broken", "check", "subject", "words"),
    [
        (broker_down, "broker", "127.0.0.1:", "does not answer"),
        (broker_refuses_the_password, "broker", "127.0.0.1:", "refuses user or password"),
        (no_such_virtual_host, "broker", "127.0.0.1:", "virtual host test-"),
        (second_address_down, "broker", "127.0.0.1:", "does not answer"),
        (nothing_declared, "topology", "queue fiscalize", "is not there"),
        (queues_of_another_type, "topology", "queue fiscalize", "x-queue-type"),
        (no_worker, "consumers", "fiscalize", "0 consumers"),
        (nobody_waits_for_short_waits, "consumers", "fiscalize.follow_up", "0 consumers"),
        (nobody_listens, "consumers", EVENTS_QUEUE, "nobody listens"),
        (file_with_a_mistake, "integrations", "integrations.yaml", "'one' is not a code"),
        (secret_not_there, "integrations", "integrations.yaml", "env:OLENA_PASSWORD is not set"),
        (checkbox_down, "checkbox", "http://127.0.0.1:", "does not answer"),
        (not_checkbox, "checkbox", "http://127.0.0.1:", "is not Checkbox"),
        (wrong_password, "sign-in", "shop-main/olena", "Невірний логін або пароль"),
        (wrong_licence_key, "register", "shop-main/olena", "licence key refused"),
        (no_shift, "shift", "shop-main/olena", "none is open"),
        (old_shift, "shift", "shop-main/olena", "24.0 h old"),
        (shift_that_nobody_rolls_over, "shift", "shop-main/olena", "21.0 h old"),
        (register_of_a_colleague, "shift", "shop-main/olena", "another cashier's shift"),
        (code_that_checkbox_has_not, "tax rates", "shop-main", "7 % has code 4"),
        (code_of_another_rate, "tax rates", "shop-main", "20 % has code 2, which is 7 % at Checkbox"),
        (key_ended, "key", "shop-main/olena", "ended on 2020-01-01"),
        (key_cannot_sign, "key", "shop-main/olena", "cannot sign"),
        (subscription_ended, "subscription", "ФОП Приклад", "ended on 2020-01-01"),
        (cashier_blocked, "sign-in", "shop-main/olena", "is blocked"),
        (live_cashier_at_a_test_register, "register", "shop-main/olena", "a live cashier at a test register"),
        (register_blocked, "register", "shop-main/olena", "is blocked"),
        (clock_is_off, "clock", "http://127.0.0.1:", "ahead of Checkbox's"),
        (archive_check_down, "archive check", "FISCAL_ARCHIVE_CHECK_URL", "connect_error"),
    ],
)
def test_a_broken_set_up_is_named(
    place: Place, broken: Callable[[Place], None], check: str, subject: str, words: str
) -> None:
    """Exit code 1; what is wrong is what was broken, nothing else, and there is a sentence on what to do."""
    broken(place)
    code, found = place.findings()
    wrong = [one for one in found if one["state"] == "wrong"]
    assert code == 1
    assert any(
        one["check"] == check and subject in one["subject"] and words in one["seen"] for one in wrong
    ), wrong
    assert {one["check"] for one in wrong} == {check}
    assert all(one["advice"] for one in wrong)
    assert not any(secret in json.dumps(found, ensure_ascii=False) for secret in SECRETS)


def test_an_alarm_of_the_broker_is_seen(place: Place, rabbitmq: PrivateRabbitMQ) -> None:
    """A broker out of memory takes connections and no messages."""
    rabbitmq.set_memory_watermark("0")
    try:
        _, found = place.findings()
    finally:
        rabbitmq.set_memory_watermark()
    assert "has an alarm and takes no messages" in [one["seen"] for one in found if one["state"] == "wrong"]


def test_what_wears_out_is_a_warning(place: Place) -> None:
    """A key with ten days left and a shift in its 23rd hour are told, and are not wrong yet."""
    place.alter({ME: {"certificate_end": (datetime.now(UTC) + timedelta(days=10)).isoformat()}})
    place.checkbox.close_shift("olena")
    place.checkbox.open_shift("olena", (datetime.now(UTC) - timedelta(hours=23)).isoformat())
    code, found = place.findings()
    warned = {one["check"] for one in found if one["state"] == "warning"}
    assert code == 0
    assert warned >= {"key", "shift"}


def test_a_tax_that_is_doubtful_is_a_warning(place: Place) -> None:
    """The percent fits, and sales go on."""
    place.integration["tax_rates"][3]["code"] = 3
    code, found = place.findings()
    assert code == 0
    seen = [one["seen"] for one in found if (one["check"], one["state"]) == ("tax rates", "warning")]
    assert [words.startswith("not_accountable has code 3") for words in seen] == [True]


def test_the_right_code_is_named(place: Place) -> None:
    code_of_another_rate(place)
    _, found = place.findings()
    advice = [one["advice"] for one in found if one["seen"].startswith("20 % has code 2")]
    assert ["put code 1 into tax_rates" in one for one in advice] == [True]


def test_what_is_declared_counts(place: Place) -> None:
    """A test register where live is declared sells nothing that counts."""
    place.integration["environment"] = "live"
    code, found = place.findings("--integration", "shop-main")
    assert code == 1
    assert {one["check"] for one in found if one["state"] == "wrong"} == {"register"}


def test_five_cashiers_a_second_are_looked_at() -> None:
    """However quick the answers are: 1,000 take 200 s."""
    now, slept = 100.0, []
    pace = Pace(lambda: now, slept.append)
    for _ in range(1001):
        pace.wait()
    assert slept[0] == 0.0
    assert slept[-1] == pytest.approx(200.0)


def test_slow_checks_are_made_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many that 6 s for a check still keep the pace: this ends only if they are all under way at once."""
    together = Barrier(SIDE_BY_SIDE, timeout=20)

    def examine(_: Any, one: Row, *__: Any) -> list[Finding]:
        together.wait()
        return [ok("sign-in", one.cashier.id, "signs in")]

    monkeypatch.setattr(examination, "examine_row", examine)
    monkeypatch.setattr(examination, "Pace", lambda: Pace(sleep=lambda _: None))
    cashiers = {
        f"c{number}": a_cashier(id=f"c{number}", login=f"c{number}") for number in range(SIDE_BY_SIDE)
    }
    (configured_row,) = configured(an_integration(cashiers=cashiers)).rows.values()
    places = [(configured_row, one) for one in rows_to_check(configured_row)]
    with CheckboxClient() as client:
        found = list(examination.examined(places, client, time.time))
    assert [one.subject for one in found] == list(cashiers)


def test_waiting_letters_are_told(place: Place) -> None:
    """They are no fault of the set-up; somebody should look."""
    with pika.BlockingConnection(pika.URLParameters(place.vhost.url)) as connection:
        channel = connection.channel()
        place.topology.declare(channel)
        channel.confirm_delivery()
        channel.basic_publish("", DEAD_LETTERS, b"{}")
    code, found = place.findings()
    assert code == 0
    assert [one["seen"] for one in found if one["check"] == "dead letters"] == ["1 wait for a person"]


def test_nothing_is_changed_and_nobody_stays_signed_in(place: Place) -> None:
    """Queues are as they were, and no token of Checkbox's is left behind."""
    place.is_declared = False
    place.findings()
    assert place.vhost.queues() == {}
    asked = place.checkbox.counters()["requests"]
    assert asked["POST /cashier/signin"] == {"200": 3}
    assert asked["POST /cashier/signout"] == {"205": 3}
    assert sum(sum(told.values()) for name, told in asked.items() if name.startswith("POST")) == 6


def test_filters_leave_the_others_alone(place: Place) -> None:
    """Only the cashier that is named is signed in; a name that is not there is wrong usage."""
    _, found = place.findings("--integration", "shop-main", "--cashier", "petro")
    assert {one["subject"] for one in found if one["check"] == "sign-in"} == {"shop-main/petro"}
    assert place.doctor("--cashier", "nobody").exit_code == 2


def test_a_table_is_for_people(place: Place) -> None:
    """State, check, thing, what was seen and what to do, in a line each."""
    place.checkbox.close_shift("olena")
    result = place.doctor()
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("wrong")]
    assert "shop-main/olena" in line
    assert line.endswith("have the cashier open a shift in Checkbox")
    assert "1 wrong" in result.stderr
