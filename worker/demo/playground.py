"""A broker, the Checkbox sandbox and a worker of one's own, for as long as somebody plays with them."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pika

from worker.demo.examples import FOLDER, INTEGRATIONS
from worker.demo.free_ports import free_ports
from worker.demo.guarded_folder import GuardedFolder
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.message.reading import identify
from worker.rabbit.topology import JOURNAL_QUEUE, has_queue

#: Seconds.
_STARTS_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class Playground:
    """Where everything is; ``settings`` are the variables that commands need to find it."""

    folder: GuardedFolder
    settings: dict[str, str]
    worker_url: str

    @property
    def broker_url(self) -> str:
        return self.settings["FISCAL_RABBITMQ_URL"]

    def lines_to_type(self) -> list[str]:
        """For another terminal; the first lets it find the command, and the command all of this."""
        file = self.folder.path / "settings.sh"
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.settings.items()]
        lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
        file.write_text("\n".join(lines) + "\n")
        order = FOLDER / "valid" / "one_line_card.json"
        refused = FOLDER / "invalid" / "TOTALS_MISMATCH.total.json"
        return [
            f". {shlex.quote(str(file))}",
            f"fiscal-worker publish {shlex.quote(str(order))} --wait",
            f"fiscal-worker explain {identify(order.read_bytes()).order}",
            "fiscal-worker dead-letters list --group-by code",
            f"fiscal-worker dead-letters show {identify(refused.read_bytes()).order}",
        ]

    def start_console(self) -> tuple[str, str]:
        """Its address, and the token to sign in with; it ends with the playground."""
        (port,) = free_ports(1)
        token = secrets.token_urlsafe(24)
        file = self.folder.path / "console-token"
        file.touch(0o600)
        file.write_text(token)
        command = [sys.executable, "-m", "worker", "console", "--port", str(port), "--token-file", str(file)]
        self.folder.launch("console", command, {**os.environ, **self.settings})
        return f"http://127.0.0.1:{port}/", token


@contextmanager
def playground() -> Iterator[Playground]:
    """From the start of all of it to its end."""
    with ExitStack() as stack:
        folder = GuardedFolder("fiscal-demo-")
        stack.callback(folder.close)
        url = stack.enter_context(PrivateRabbitMQ()).url
        sandbox = stack.enter_context(SandboxProcess(integrations=INTEGRATIONS))
        settings = {
            "FISCAL_RABBITMQ_URL": url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(INTEGRATIONS),
            "FISCAL_RETURN_WAIT": "PT5S",
        }
        if find_spec("sqlalchemy"):
            settings["FISCAL_JOURNAL_URL"] = f"sqlite:///{folder.path / 'journal.db'}"
        worker = stack.enter_context(WorkerProcess(settings, folder.path / "worker.log"))
        assert worker.process is not None
        folder.take("worker", worker.process.pid)
        if "FISCAL_JOURNAL_URL" in settings:
            _start_journal(folder, worker.settings)
        yield Playground(folder, worker.settings, f"http://127.0.0.1:{worker.port}")


def _start_journal(folder: GuardedFolder, settings: dict[str, str]) -> None:
    """It hears what is published once it consumes; whoever plays waits for that."""
    folder.launch("journal", [sys.executable, "-m", "worker", "journal"], {**os.environ, **settings})
    give_up_at = time.monotonic() + _STARTS_WITHIN
    with pika.BlockingConnection(pika.URLParameters(settings["FISCAL_RABBITMQ_URL"])) as connection:
        while time.monotonic() < give_up_at:
            if has_queue(connection, JOURNAL_QUEUE):
                queue = connection.channel().queue_declare(JOURNAL_QUEUE, passive=True)
                if queue.method.consumer_count:
                    return
            connection.sleep(0.1)
    raise RuntimeError(f"the journal did not start: {folder.log()[-2000:]}")
