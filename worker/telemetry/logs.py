"""Logs for machines and people: one JSON object a line, free of secrets and of buyers' data.

Field names follow OpenTelemetry's semantic conventions for messaging. What may be logged is an allow-list: a
field that is not in it is dropped, and every text passes a scrubber.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Literal, Protocol

import structlog
from pydantic_core import to_json
from structlog.typing import EventDict, Processor, WrappedLogger

from worker import __version__
from worker.fiscal.privacy import scrub

#: Every field that a line may have.
ALLOWED = frozenset(
    {
        "event", "timestamp", "severity_text", "logger", "service.name", "service.version",
        "trace_id", "span_id", "process.pid", "thread.name",
        "messaging.system", "messaging.operation.name", "messaging.destination.name", "messaging.message.id",
        "error.type", "exception.stacktrace",
        "http.response.status_code", "url.template", "server.address",
        "request_id", "order_id", "doc_number", "integration", "cashier", "operation", "receipt_id", "shift",
        "attempt", "replays", "outcome", "code", "reason", "delay_seconds", "duration_seconds",
        "message", "problems", "processes", "threads", "exit_code", "count", "until", "kind", "integrations",
        "actor", "wanted", "failed", "withheld",
        "errors", "warnings", "scope",
    }
)  # fmt: skip

#: Fields with words of others in them; what else is allowed are names, numbers and ids.
_FREE_TEXT = frozenset({"event", "message", "problems", "reason", "actor", "wanted"})


#: A name of ours or a constant: nothing in it can be what the scrubber looks for (a JWT begins with eyJ).
_NAME = re.compile(r"(?!eyj)[a-z_]+")

_context: ContextVar[Mapping[str, Any]] = ContextVar("log_context", default=MappingProxyType({}))


class Within:
    """Lines of this thread have the fields of a context too, as they are when a line is written."""

    __slots__ = ("_before", "_fields")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __enter__(self) -> None:
        # One variable for all fields: structlog's own takes a variable for each, set and cleared.
        self._before = _context.set(self._fields)

    def __exit__(self, *_: object) -> None:
        _context.reset(self._before)


def with_context(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """The processor that adds them; what a line says itself leads."""
    return {**_context.get(), **line}


def _allow(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {
        key: _scrubbed(value) if key in _FREE_TEXT else value
        for key, value in line.items()
        if key in ALLOWED and value is not None
    }


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value if _NAME.fullmatch(value) else scrub(value)
    return [scrub(text) for text in value] if isinstance(value, list) else value


def _name(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["logger"] = line.pop("named")
    return line


def _otel_names(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["severity_text"] = str(line.pop("level", "info")).upper()
    line["service.name"] = "fiscal-worker"
    line["service.version"] = __version__
    line["process.pid"] = os.getpid()
    return line


def _exception(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Where it happened, without the error's words and the variables' values: both may hold an order."""
    info = line.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        line["error.type"] = info[0].__qualname__
        line["exception.stacktrace"] = "".join(traceback.format_tb(info[2]))
    return line


class Stream(Protocol):
    """Takes whole lines, from any thread."""

    def write(self, line: str, /) -> object: ...
    def flush(self) -> None: ...


class _Lines:
    """What structlog hands finished lines to, whatever their level."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        self._stream.write(line + "\n")

    debug = info = warning = error = critical = msg


def configure(form: Literal["json", "console"], level: str, stream: Stream) -> None:
    """Send everything to one stream in one form: our lines straight, the libraries' by way of ``logging``.

    Warnings and the ends of threads come there too, and not to stderr, where a full pipe would block them.

    Ours do without ``logging`` since each pass writes one, and its records cost more than all else in a line.
    """
    threshold = logging.getLevelNamesMapping()[level]
    form_of_line = _form_of_line(form)
    structlog.configure(
        processors=[with_context, _name, *_ENRICH, *form_of_line],
        logger_factory=lambda *_: _Lines(stream),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(),
                with_context,
                structlog.stdlib.add_logger_name,
                *_ENRICH,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form_of_line],
        )
    )
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quietest in _LIBRARIES.items():
        logging.getLogger(name).setLevel(quietest)
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended


def apart(form: Literal["json", "console"], stream: Stream, name: str) -> Any:
    """A logger of the same form on a stream of its own, which leaves the process's log as it is."""
    processors = [_name, *_ENRICH, *_form_of_line(form)]
    return structlog.wrap_logger(
        _Lines(stream), processors, structlog.make_filtering_bound_logger(logging.INFO), named=name
    )


_ENRICH: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _exception,
)


def _form_of_line(form: Literal["json", "console"]) -> tuple[Processor, ...]:
    if form == "console":
        return _allow_console, structlog.dev.ConsoleRenderer()
    return _otel_names, _allow, _as_json


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    logger(__name__).error("thread_ended", exc_info=ended.exc_value)


def _as_json(_: WrappedLogger, __: str, line: EventDict) -> str:
    return to_json(line, fallback=repr).decode()


def _allow_console(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    level = line.get("level")
    return {**_allow(logger, name, line), "level": level}


#: Libraries write message bodies, headers and URLs below these levels, whatever the worker's own level is.
_LIBRARIES = {
    "pika": logging.CRITICAL,
    "dramatiq": logging.ERROR,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.WARNING,
}


def _is_news(record: logging.LogRecord) -> bool:
    """The monitor logs once that the broker is lost; every thread of Dramatiq's would repeat it."""
    if not record.name.startswith("dramatiq"):
        return True
    kind = record.exc_info[0] if record.exc_info else None
    told_elsewhere = kind is not None and kind.__name__ == "PublishFailed"
    return not told_elsewhere and "connection error" not in str(record.msg)


def logger(name: str) -> Any:
    """A logger whose events are constant names in the past tense, with facts as fields."""
    return structlog.get_logger(named=name)
