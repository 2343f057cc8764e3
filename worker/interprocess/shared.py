"""What the processes of a worker share by fork."""

from __future__ import annotations

from dataclasses import dataclass
from socket import socket

from worker.interprocess.heartbeat import Heartbeat
from worker.interprocess.inquiries import Inquiries
from worker.interprocess.rate_limiter import RegisterRateLimiter
from worker.interprocess.shared_document import SharedDocument
from worker.interprocess.stop_limit import StopLimit
from worker.telemetry.log_writer import LogWriter


@dataclass(frozen=True, slots=True)
class Shared:
    """What the processes of a worker share by fork."""

    stop_limit: StopLimit
    heartbeat: Heartbeat
    limiter: RegisterRateLimiter
    #: What the monitor answers on.
    pages: socket
    inquiries: Inquiries
    log: LogWriter
    #: The integrations, where they come from an address.
    document: SharedDocument | None
