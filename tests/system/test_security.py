"""TLS that is verified, and a broker's user who may do what the worker needs and nothing else."""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from tests.system.shop import CONTRACT, Shop
from tests.system.tls import Authority, TlsFront
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.connection import parameters
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, ORDERS_EXCHANGE, Topology

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
VALID = (CONTRACT / "valid" / "one_line_card.json").read_bytes()
INVALID = (CONTRACT / "invalid" / "TOTALS_MISMATCH.total.json").read_bytes()
Eventually = Callable[..., Any]


class TlsBroker(PrivateRabbitMQ):
    """A node that speaks TLS too, with the users and permissions that the document gives."""

    def __init__(self, authority: Authority) -> None:
        self.tls_port = free_ports(1)[0]
        self.authority = authority
        super().__init__(
            [
                f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                f"ssl_options.cacertfile = {authority.ca}",
                f"ssl_options.certfile = {authority.certificate}",
                f"ssl_options.keyfile = {authority.key}",
            ]
        )

    def make_users(self) -> None:
        VirtualHost("fiscal", self.plain_url, self.evaluate).create()
        for line in re.findall(r"^rabbitmqctl set_permissions (.*)$", DOCUMENT.read_text(), re.MULTILINE):
            _, vhost, user, *patterns = shlex.split(line)
            password = f"password-of-{user}"
            self._backend("add_user", user, password, "test")
            self._backend("set_permissions", user, vhost, *patterns, "test")

    def _backend(self, function: str, *texts: str) -> None:
        # What rabbitmqctl calls, without the seconds that each of its starts takes.
        arguments = ", ".join(f"<<{json.dumps(text)}>>" for text in texts)
        self.evaluate(f"ok = rabbit_auth_backend_internal:{function}({arguments})")

    @property
    def plain_url(self) -> str:
        """For whoever sets the stage: without TLS, with all permissions."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/fiscal"

    def tls_url(self, user: str, host: str = "localhost", ca: Path | None = None) -> str:
        query = "?ssl_options=" + quote(str({"cafile": str(ca)})) if ca else ""
        return f"amqps://{user}:password-of-{user}@{host}:{self.tls_port}/fiscal{query}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Iterator[TlsBroker]:
    with TlsBroker(authority) as broker:
        broker.make_users()
        yield broker


@pytest.fixture
def fiscal(broker: TlsBroker, shop_sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """`fiscal(FISCAL_…=…)` starts a worker that has the permissions of the document, over TLS."""
    shops: list[Shop] = []

    def start(**environment: str) -> Shop:
        worker = WorkerProcess(
            {
                "FISCAL_RABBITMQ_URL": broker.tls_url("fiscal-worker", ca=broker.authority.ca),
                "FISCAL_CHECKBOX_URL": shop_sandbox.url,
                "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
                "FISCAL_RETRY_MIN_BACKOFF": "PT0.2S",
                "FISCAL_RETRY_MAX_BACKOFF": "PT0.5S",
                "FISCAL_BINDINGS": "order.ready_to_fiscalize.shop-main.#;order.ready_to_fiscalize.unknown.#",
                **environment,
            },
            tmp_path / "worker.log",
        )
        shops.append(Shop(VirtualHost("fiscal", broker.plain_url, broker.evaluate), shop_sandbox, worker))
        worker.start()
        return shops[-1]

    yield start
    for shop in shops:
        shop.close()


def connect(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(parameters(url, "test"))


def start_command(broker: TlsBroker, *arguments: str) -> subprocess.Popen[str]:
    """A command as an operator gives it."""
    return subprocess.Popen(
        [sys.executable, "-m", "worker", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "FISCAL_RABBITMQ_URL": broker.tls_url("operator", ca=broker.authority.ca),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(broker: TlsBroker, *arguments: str) -> str:
    """Its output; it has to end well."""
    with start_command(broker, *arguments) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors + output
    return output


def look_into_console(broker: TlsBroker, eventually: Eventually) -> None:
    """The pages that ask the broker, as who may change things."""
    number = json.loads(INVALID)["data"]["order"]["docNumber"]
    with start_command(broker, "console", "--port", "0") as serving:
        try:
            assert serving.stderr is not None
            url = serving.stderr.readline().strip().removesuffix("/")
            token = serving.stderr.readline().split()[-1]
            with httpx2.Client(base_url=url, headers={"Origin": url}, trust_env=False, timeout=30) as browser:
                assert browser.post("/sign-in", data={"token": token}).status_code == 303
                eventually(lambda: number in browser.get("/letters").text)
                assert browser.get("/").status_code == 200
        finally:
            serving.terminate()
        assert serving.wait(30) == 0


def test_worker_and_operator_need_no_more_than_the_document_gives(
    broker: TlsBroker, fiscal: Callable[..., Shop], eventually: Eventually
) -> None:
    """Over TLS, with the patterns of docs/security.md: a receipt after a fault, a dead letter, its replay, an
    event heard, `watch`, the console, `resume`, an orderly end; and the broker has refused nothing."""
    shop = fiscal()
    shop.sandbox.fault("error_500", endpoint="POST /receipts/sell", count=1)
    shop.publish(VALID)
    shop.outcome(json.loads(VALID)["id"])
    with start_command(broker, "events", "--limit", "1", "--for", "PT40S", "--json") as listening:
        assert listening.stderr is not None
        assert "listening" in listening.stderr.readline()
        shop.publish(INVALID)
        heard = listening.communicate(timeout=60)[0]
    assert json.loads(heard)["data"]["code"] == "TOTALS_MISMATCH"
    eventually(lambda: shop.vhost.queues()[DEAD_LETTERS].messages == 1)
    assert "TOTALS_MISMATCH" in command(broker, "dead-letters", "list")
    with start_command(broker, "dead-letters", "replay", "--yes") as replaying:
        assert "TOTALS_MISMATCH 1" in replaying.communicate(timeout=60)[1]
    eventually(lambda: shop.vhost.queues()[DEAD_LETTERS].messages == 1)
    command(broker, "dead-letters", "watch", "--once")
    look_into_console(broker, eventually)
    command(broker, "dead-letters", "discard", "--yes", "--all")
    command(broker, "resume")
    assert shop.worker.terminate() == 0
    assert not re.findall(r".*(?:ACCESS_REFUSED|access to .* refused).*", broker.log())


def ask(channel: BlockingChannel) -> None:
    channel.basic_publish(ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", VALID)


@pytest.mark.parametrize(
    ("user", "attempt"),
    [
        ("fiscal-worker", ask),
        ("fiscal-worker", lambda channel: channel.basic_get(EVENTS_QUEUE)),
        ("fiscal-worker", lambda channel: channel.queue_declare("another")),
        ("bimp", lambda channel: channel.basic_publish("", "fiscalize", b"order")),
        ("bimp", lambda channel: channel.basic_get(DEAD_LETTERS)),
        ("bimp", lambda channel: channel.queue_declare("mine")),
        ("operator", ask),
        ("operator", lambda channel: channel.queue_purge("fiscalize")),
        ("operator", lambda channel: channel.queue_delete(DEAD_LETTERS)),
    ],
)
def test_what_the_document_does_not_give_is_refused(
    broker: TlsBroker, user: str, attempt: Callable[[BlockingChannel], object]
) -> None:
    """Nobody but Bimp asks for receipts, and everybody reads his own queues only."""
    with connect(broker.plain_url) as connection:
        Topology().declare(connection.channel())
    with connect(broker.tls_url(user, ca=broker.authority.ca)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            attempt(channel)


def test_bimp_asks_and_hears_with_its_own_permissions(
    broker: TlsBroker, fiscal: Callable[..., Shop], eventually: Eventually
) -> None:
    """It publishes to the exchange and reads the queue of events; the worker has declared both."""
    shop = fiscal()
    with connect(broker.tls_url("bimp", ca=broker.authority.ca)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(delivery_mode=2)
        key = "order.ready_to_fiscalize.shop-main.olena"
        channel.basic_publish(ORDERS_EXCHANGE, key, INVALID, properties, mandatory=True)
        event = eventually(lambda: channel.basic_get(EVENTS_QUEUE, auto_ack=True)[2])
    assert json.loads(event)["data"]["code"] == "TOTALS_MISMATCH"
    assert shop.worker.page("/healthz")[0] == 200


def test_a_broker_that_cannot_prove_its_name_is_not_talked_to(broker: TlsBroker) -> None:
    """Neither one of an authority that is not trusted, nor one whose certificate is for another host."""
    for url in (
        broker.tls_url("fiscal-worker"),
        broker.tls_url("fiscal-worker", host="127.0.0.1", ca=broker.authority.ca),
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(url)


def test_checkbox_is_verified(
    authority: Authority, fiscal: Callable[..., Shop], shop_sandbox: SandboxProcess, eventually: Eventually
) -> None:
    """A server that cannot prove its name gets no password, and the order waits; one that can gets both."""
    port = int(shop_sandbox.url.rpartition(":")[2])
    with TlsFront(port, authority) as front:
        shop = fiscal(FISCAL_CHECKBOX_URL=f"https://localhost:{front.port}")
        shop.publish(VALID)
        request = json.loads(VALID)["id"]
        shop.until(lambda: shop.events_of(request, "delayed"))
        assert not shop_sandbox.ledger()
        assert shop.worker.terminate() == 0
        shop.worker.kill()
        trusting = fiscal(
            FISCAL_CHECKBOX_URL=f"https://localhost:{front.port}", SSL_CERT_FILE=str(authority.ca)
        )
        assert trusting.outcome(request)["data"]["receipt"]["fiscalCode"]
