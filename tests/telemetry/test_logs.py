"""The log: JSON lines and nothing else, of fields that are allowed, without secrets and values."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from worker.telemetry import logs


class Output(io.StringIO):
    """What went to stdout."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().split("\n") if line]


@pytest.fixture
def output() -> Iterator[Output]:
    """The log of a process at DEBUG as JSON; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("pika", "dramatiq", "httpx2", "asyncio")}
    output = Output()
    logs.configure("json", "DEBUG", output)
    yield output
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def test_a_line_names_what_happened_where_and_when(output: Output) -> None:
    """One object a line, with OpenTelemetry's names."""
    logs.logger("worker.test").warning("queue_looked_at", count=3)
    [line] = output.lines()
    assert line["event"] == "queue_looked_at"
    assert line["severity_text"] == "WARNING"
    assert line["logger"] == "worker.test"
    assert line["service.name"] == "fiscal-worker"
    assert line["count"] == 3
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_have_the_same_form(output: Output) -> None:
    """Line feeds and quotes in them break nothing."""
    logging.getLogger("some.library").error('said "%s"', "one\ntwo\u2028three")
    [line] = output.lines()
    assert line["event"] == 'said "one\ntwo\u2028three"'
    assert line["severity_text"] == "ERROR"


def test_only_what_is_allowed_is_written(output: Output) -> None:
    """Of our fields, of the context's and of a library's ``extra``."""
    with logs.Within({"order_id": "u", "buyer": "somebody"}):
        logs.logger("worker.test").info("happened", password="x", body="y", headers={"a": 1}, code="OK")
        logging.getLogger("some.library").warning("happened", extra={"password": "x", "request_id": "r"})
    ours, theirs = output.lines()
    common = {
        "event",
        "timestamp",
        "severity_text",
        "logger",
        "service.name",
        "service.version",
        "process.pid",
    }
    assert ours.keys() == common | {"order_id", "code"}
    assert theirs.keys() == common | {"order_id", "request_id"}


def test_every_field_of_the_code_is_allowed() -> None:
    """One that is not would be dropped from the log without a word."""
    dropped = {
        (path.name, keyword.arg)
        for path in (Path(__file__).parents[2] / "worker").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_log"
        for keyword in node.keywords
        if keyword.arg not in {*logs.ALLOWED, "exc_info", None}
    }
    assert dropped == set()


def test_a_name_with_an_underscore_is_not_allowed_either(output: Output) -> None:
    """structlog's own marks are gone before the list is asked."""
    logs.logger("worker.test").info("happened", _password="x")
    logging.getLogger("some.library").warning("happened", extra={"_password": "x"})
    assert all("_password" not in line for line in output.lines())


@pytest.mark.parametrize(
    "secret",
    [
        "buyer@example.com",
        "+380501234567",
        "0501234567",
        "516875******1234",
        "Bearer abc.def",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
        "amqp://user:pa55word@host",
    ],
)
@pytest.mark.parametrize("where", ["event", "message", "problems", "library"])
def test_what_looks_like_a_secret_is_hidden(output: Output, secret: str, where: str) -> None:
    """Wherever words of others may stand; the words around it stay."""
    text = f"before {secret} after"
    if where == "library":
        logging.getLogger("some.library").error("before %s after", secret)
    elif where == "event":
        logs.logger("worker.test").error(text)
    else:
        logs.logger("worker.test").error("happened", **{where: [text] if where == "problems" else text})
    written = output.getvalue()
    hidden = "pa55word" if "pa55word" in secret else secret
    assert hidden not in written
    assert "before" in written
    assert "after" in written


def test_a_traceback_tells_the_place_and_no_value(output: Output) -> None:
    """Neither the error's words nor those of its cause, of ours and of a library."""

    def break_on(value: str) -> None:
        try:
            int(value)
        except ValueError as cause:
            raise KeyError(value) from cause

    for name in ("worker.test", "some.library"):
        try:
            break_on("4111111111111111")
        except KeyError as error:
            if name == "worker.test":
                logs.logger(name).error("broke", exc_info=error)
            else:
                logging.getLogger(name).exception("broke")
    assert "4111111111111111" not in output.getvalue()
    for line in output.lines():
        assert line["error.type"] == "KeyError"
        assert "break_on" in line["exception.stacktrace"]
        assert "test_logs.py" in line["exception.stacktrace"]


def test_libraries_do_not_write_what_they_carry(output: Output) -> None:
    """At DEBUG too: they would write bodies, headers and addresses."""
    for name in ("pika.connection", "dramatiq.worker.WorkerThread", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(name).debug("body")
        logging.getLogger(name).info("body")
    logging.getLogger("pika.connection").error("body")
    assert output.getvalue() == ""


def test_a_lost_broker_is_not_told_by_every_thread(output: Output) -> None:
    """The monitor tells it once; other errors of the same threads are written."""
    consumer = logging.getLogger("dramatiq.worker.ConsumerThread(fiscalize)")
    consumer.critical("Consumer encountered a connection error: %s", "x")
    consumer.critical("Consumer encountered an unexpected error.")
    assert [line["event"] for line in output.lines()] == ["Consumer encountered an unexpected error."]


def test_lines_below_the_level_are_left_out(output: Output) -> None:
    """``FISCAL_LOG_LEVEL``."""
    logs.configure("json", "WARNING", output)
    logging.getLogger("some.library").info("happened")
    logging.getLogger("some.library").warning("happened")
    assert len(output.lines()) == 1


def test_the_form_for_people_leaves_the_same_things_out(output: Output) -> None:
    """``console``: no JSON, and no secret either."""
    logs.configure("console", "INFO", output)
    logging.getLogger("some.library").warning(
        "buyer@example.com", extra={"password": "pa55word", "code": "OK"}
    )
    written = output.getvalue()
    assert "OK" in written
    assert "pa55word" not in written
    assert "buyer@example.com" not in written
