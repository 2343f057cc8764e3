"""The images at work: read-only, without capabilities, with loopback as their only network.

`tests/deploy/ship/check image` starts it in a network namespace of its own, which the containers share:
broker, sandbox, worker, journal, watch and console find each other there, and nothing else can be reached.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika

from worker import __version__
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.topology import EVENTS_QUEUE, ORDERS_EXCHANGE

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "docs" / "examples"
PODMAN = ("podman", "--storage-driver", "overlay", "--runtime", "/usr/sbin/runc")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
LOCKED_DOWN = ("--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop", "ALL", *LIMITS)  # noqa: S108 - in the container
IMAGE = "localhost/fiscal-worker"
SANDBOX_PORT, METRICS_PORT, CONSOLE_PORT = 8800, 9191, 9192
CONSOLE_TOKEN = "the-token-of-a-check"
JOURNAL = "sqlite:////var/journal/journal.db"
#: Seconds that the contract gives from SIGTERM to the end.
GRACE = 25


def main() -> None:
    """Raises ``AssertionError`` for what is not as it has to be."""
    assert_alone()
    said = output("run", "--rm", "--network", "none", *isolation(), f"{IMAGE}:worker", "--help")
    assert "dead-letters" in said
    assert (
        output("run", "--rm", "--network", "none", *isolation(), f"{IMAGE}:worker", "--version").strip()
        == __version__
    )
    print(f"--help and --version {__version__} without any network")
    with tempfile.TemporaryDirectory(prefix="fiscal-ship-") as folder, PrivateRabbitMQ() as broker:
        secrets = write_secrets(Path(folder), broker.url)
        with container("sandbox", *mounts(secrets), f"{IMAGE}:sandbox", *sandbox_arguments()):
            until(lambda: page(SANDBOX_PORT, "/")[0] != 0, "the sandbox listens")
            work = (*mounts(secrets), *settings())
            kept = (
                *work,
                "--volume",
                f"{secrets}/journal:/var/journal",
                "--env",
                f"FISCAL_JOURNAL_URL={JOURNAL}",
            )
            with (
                container("worker", *work, f"{IMAGE}:worker"),
                container("journal", *kept, f"{IMAGE}:journal"),
                container("watch", *work, f"{IMAGE}:worker", "dead-letters", "watch", "--interval", "PT5S"),
                container("console", *kept, f"{IMAGE}:console"),
            ):
                until(lambda: page(METRICS_PORT, "/readyz")[0] == 200, "the worker consumes")
                look_inside()
                orders_become_receipts(broker.url)
                the_console_knows_them()
                the_watch_replays(broker.url, secrets)
                publish_one(broker.url, "the last one", "olena")
                for name in ("worker", "journal", "watch", "console"):
                    it_ends_in_time(name)


def assert_alone() -> None:
    """Loopback is the only interface."""
    interfaces = [
        line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines()[2:]
    ]
    assert interfaces == ["lo"], interfaces


def isolation() -> Sequence[str]:
    return (*LOCKED_DOWN, "--security-opt", "no-new-privileges", "--no-healthcheck")


def write_secrets(folder: Path, broker_url: str) -> Path:
    """As Kubernetes mounts them: a file for each secret, readable for the worker's group."""
    integrations = (CONTRACT / "integrations.yaml").read_text()
    contents = {"fiscal/FISCAL_RABBITMQ_URL": broker_url, "fiscal/FISCAL_CONSOLE_TOKEN": CONSOLE_TOKEN}
    for cashier in ("olena", "petro"):
        contents[f"cashiers/{cashier}_password"] = f"{cashier}-secret"
        integrations = integrations.replace(f"{cashier}-secret", f"file:/run/cashiers/{cashier}_password")
    contents["etc/integrations.yaml"] = integrations
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.chown(path, 0, 10001)
        path.chmod(0o440)
    folder.chmod(0o755)
    (folder / "journal").mkdir()
    os.chown(folder / "journal", 10001, 10001)
    return folder


def mounts(folder: Path) -> Sequence[str]:
    pairs = {"etc": "/etc/fiscal-worker", "fiscal": "/run/fiscal", "cashiers": "/run/cashiers"}
    return [part for here, there in pairs.items() for part in ("--volume", f"{folder}/{here}:{there}:ro")]


def settings() -> Sequence[str]:
    variables = {
        "FISCAL_SECRETS_DIR": "/run/fiscal",
        "FISCAL_INTEGRATIONS_FILE": "/etc/fiscal-worker/integrations.yaml",
        "FISCAL_CHECKBOX_URL": f"http://127.0.0.1:{SANDBOX_PORT}",
        "FISCAL_METRICS_PORT": str(METRICS_PORT),
        "FISCAL_REGISTER_RATE": "100",
    }
    return [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]


def sandbox_arguments() -> Sequence[str]:
    return ("sandbox", "--integrations", "/etc/fiscal-worker/integrations.yaml", "--port", str(SANDBOX_PORT))


@contextmanager
def container(name: str, *arguments: str) -> Iterator[None]:
    """In the namespace that this process is in; removed at the end, its log shown where it went wrong."""
    name = container_name(name)
    output("run", "--detach", "--name", name, "--network", "host", *isolation(), *arguments)
    try:
        yield
    except BaseException:
        print(output("logs", "--tail", "30", name), file=sys.stderr)
        raise
    finally:
        output("rm", "--force", "--time", "1", name)


def container_name(name: str) -> str:
    return f"fiscal-ship-{name}-{os.getpid()}"


def look_inside() -> None:
    """Who it is, what it may write, and that the image's own health check agrees."""
    worker = container_name("worker")
    assert output("exec", worker, "id", "-u").strip() == "10001"
    assert fails("exec", worker, "touch", "/app/file"), "the root is read-only"
    assert output("exec", worker, "find", "/opt/venv", "/app", "!", "-user", "root") == ""
    output("exec", worker, "touch", "/tmp/file")  # noqa: S108 - in the container
    status = output("exec", worker, "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    [inspected] = json.loads(output("image", "inspect", f"{IMAGE}:worker"))
    kind, *command = inspected["Healthcheck"]["Test"]
    assert kind == "CMD"
    output("exec", worker, *command)
    metrics = page(METRICS_PORT, "/metrics")[1]
    assert f'version="{__version__}"' in metrics, metrics[:500]
    print("user 10001, no capabilities, read-only root, health check, metrics")


def orders_become_receipts(url: str) -> None:
    """Every valid example of the contract that is a sale."""
    bodies = [path.read_bytes() for path in sorted((CONTRACT / "valid").glob("*.json"))]
    sales = [body for body in bodies if json.loads(body)["data"].get("operation", "SELL") == "SELL"]
    wanted = {json.loads(body)["id"] for body in sales}
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        publish(channel, sales)
        heard: set[str] = set()

        def everything_came() -> bool:
            while (got := channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] is not None:
                event = json.loads(got[2])
                assert got[0].routing_key == "fiscalization.succeeded", event
                heard.add(event["data"]["requestId"])
            return heard == wanted

        until(everything_came, f"{len(sales)} sales have receipts")


def the_console_knows_them() -> None:
    """A browser signs in by the token; the journal is read by what is in this image."""
    origin = {"Origin": f"http://127.0.0.1:{CONSOLE_PORT}", "Host": f"127.0.0.1:{CONSOLE_PORT}"}
    with closing(http.client.HTTPConnection("127.0.0.1", CONSOLE_PORT, timeout=30)) as browser:
        browser.request("POST", "/sign-in", f"token={CONSOLE_TOKEN}", origin)
        answer = browser.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
        browser.request("GET", "/", headers={"Cookie": cookie})
        answer = browser.getresponse()
        assert answer.status == 200, answer.read()
    order = json.loads((CONTRACT / "valid" / "one_line_card.json").read_bytes())["data"]["order"]["uuid"]
    explain = ("exec", container_name("console"), "fiscal-worker", "explain", order, "--json")
    until(
        lambda: any(step["what"] == "succeeded" for step in history(explain)), "the journal has the receipt"
    )


def history(explain: Sequence[str]) -> list[dict[str, Any]]:
    done = subprocess.run([*PODMAN, *explain], capture_output=True, text=True, check=False, timeout=60)
    steps: list[dict[str, Any]] = json.loads(done.stdout)["history"] if done.returncode == 0 else []
    return steps


def the_watch_replays(url: str, folder: Path) -> None:
    """An order for a cashier who is not there; then he is."""
    publish_one(url, "too early", "paula")
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        heard: list[str] = []

        def came(kind: str) -> bool:
            while (got := channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] is not None:
                heard.append(got[0].routing_key)
            return f"fiscalization.{kind}" in heard

        until(lambda: came("failed"), "an order has no cashier")
        integrations = folder / "etc" / "integrations.yaml"
        integrations.write_text(integrations.read_text().replace("id: petro", "id: paula"))
        until(lambda: came("succeeded"), "the watch has replayed it")


def it_ends_in_time(name: str) -> None:
    """SIGTERM, of the worker with an order in flight: code 0, within the time of the contract."""
    began = time.monotonic()
    output("stop", "--time", "40", container_name(name))
    seconds = time.monotonic() - began
    code = output("inspect", "--format", "{{.State.ExitCode}}", container_name(name)).strip()
    assert code == "0", f"{name}: {code}"
    assert seconds < GRACE, f"{name}: {seconds}"
    print(f"SIGTERM: {name} ends with exit code 0 after {seconds:.1f} s")


def publish_one(url: str, request: str, cashier: str) -> None:
    """An order of its own."""
    message = json.loads((CONTRACT / "valid" / "one_line_card.json").read_bytes())
    message["id"] = request
    message["data"]["cashier"] = cashier
    message["data"]["order"]["uuid"] = message["subject"] = str(uuid4())
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        publish(connection.channel(), [json.dumps(message).encode()])


def publish(channel: Any, bodies: Sequence[bytes]) -> None:
    channel.confirm_delivery()
    properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
    for body in bodies:
        data = json.loads(body)["data"]
        key = f"order.ready_to_fiscalize.{data['integration']}.{data['cashier']}"
        channel.basic_publish(ORDERS_EXCHANGE, key, body, properties, mandatory=True)


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    print(what)


def page(port: int, path: str) -> tuple[int, str]:
    """Status and text; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def output(*arguments: str) -> str:
    done = subprocess.run([*PODMAN, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr or done.stdout}"
    return done.stdout


def fails(*arguments: str) -> bool:
    return subprocess.run([*PODMAN, *arguments], capture_output=True, check=False, timeout=60).returncode != 0


if __name__ == "__main__":
    main()
