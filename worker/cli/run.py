"""``run``: the worker."""

from __future__ import annotations

import atexit
import signal
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from config.settings import Settings


def run() -> None:
    """Run the worker until SIGTERM; what is in flight ends first, within 25 seconds."""
    # A SIGTERM that comes before the supervisor can hear it waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    from config import settings as configuration
    from worker.rabbit.topology import TopologyMismatch

    try:
        settings = configuration.load()
        raise typer.Exit(_supervise(settings))
    except TopologyMismatch as mismatch:
        print(f"FISCAL_RABBITMQ_URL: {mismatch}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(1) from None


def _supervise(settings: Settings) -> int:
    from config.environment import environment
    from config.errors import ConfigurationError
    from config.unknown_variables import unknown_variables
    from worker.app import document_of, integrations_of, integrations_read
    from worker.interprocess.heartbeat import Heartbeat
    from worker.interprocess.inquiries import Inquiries
    from worker.interprocess.rate_limiter import RegisterRateLimiter
    from worker.interprocess.shared import Shared
    from worker.interprocess.stop_limit import StopLimit
    from worker.process import probe_pages
    from worker.process.memory import give_back_large_blocks
    from worker.process.supervisor import Supervisor
    from worker.telemetry import logs
    from worker.telemetry.log_writer import LogWriter
    from worker.telemetry.tally import TALLY

    give_back_large_blocks()
    # The monitor counts too.
    TALLY.share(settings.processes + 1)
    log = LogWriter(sys.stdout.fileno())
    atexit.register(log.drain)
    logs.configure(settings.log_format, settings.log_level, log)
    for sentence in unknown_variables(environment()):
        logs.logger(__name__).warning("setting_unknown", message=sentence)
    document = document_of(settings)
    integrations = integrations_of(settings, document)
    if document is None:
        integrations.start()
        integrations_read(integrations.version)
    try:
        pages = probe_pages.listen(settings.metrics_port)
    except OSError as error:
        problem = f"FISCAL_METRICS_PORT: {settings.metrics_port} cannot be listened on: {error.strerror}"
        raise ConfigurationError([f"{problem}; allowed is a free port"]) from None
    shared = Shared(
        StopLimit(settings.dead_letter_limit),
        Heartbeat(settings.processes),
        RegisterRateLimiter(),
        pages,
        Inquiries(settings.processes),
        log,
        document,
    )
    return Supervisor(settings, integrations, shared).run()
