"""Publishing as Bimp would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import invoke, run
from tests.cli.letters import body, connect, drained
from worker.rabbit.topology import Topology


@pytest.fixture
def orders(amqp_url: str) -> str:
    """A virtual host on which a worker has run."""
    with connect(amqp_url) as connection:
        Topology().declare(connection.channel())
    return amqp_url


def keys(url: str, *arguments: str, stdin: bytes = b"") -> list[str]:
    result = invoke(url, "publish", "--json", *arguments, stdin=stdin)
    assert result.exit_code == 0
    return [json.loads(line)["routingKey"] for line in result.stdout.splitlines()]


def test_a_file_is_published_byte_for_byte(orders: str, tmp_path: Path) -> None:
    """A real process sends it persistent, with the content type of a CloudEvent and the key of its order."""
    file = tmp_path / "order.json"
    file.write_bytes(b"\n " + body(1) + b"\r\n")
    done = run(orders, "publish", str(file), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["routingKey"] == "order.ready_to_fiscalize.shop-main.olena"
    ((properties, content),) = drained(orders, "fiscalize")
    assert content == file.read_bytes()
    assert properties.content_type == "application/cloudevents+json"
    assert properties.delivery_mode == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"data":{"integration":"A b","cashier":7}}', b" " * 1_048_577]
)
def test_a_message_that_tells_nobody_is_published_too(orders: str, tmp_path: Path, content: bytes) -> None:
    """It is the worker that judges: here only the routing key suffers."""
    file = tmp_path / "order.json"
    file.write_bytes(content)
    assert keys(orders, str(file)) == ["order.ready_to_fiscalize.unknown.unknown"]
    assert [sent for _, sent in drained(orders, "fiscalize")] == [content]


def test_stdin_is_read(orders: str) -> None:
    """A message through a pipe; nothing through a pipe is no message."""
    assert keys(orders, "-", stdin=body(1)) == ["order.ready_to_fiscalize.shop-main.olena"]
    assert keys(orders, "-", stdin=b"") == []


def test_lines_of_messages_are_read(orders: str, tmp_path: Path) -> None:
    """In a *.jsonl each line is a message."""
    file = tmp_path / "orders.jsonl"
    file.write_bytes(body(1) + b"\n\n" + body(2) + b"\n")
    assert len(keys(orders, str(file))) == 2
    assert [sent for _, sent in drained(orders, "fiscalize")] == [body(1), body(2)]


def test_a_listed_letter_has_no_message(orders: str) -> None:
    """The lines of `list` lack the body, and the sentence says where to get it."""
    result = invoke(orders, "publish", "-", stdin=b'{"code":"X","failedAt":null}\n')
    assert result.exit_code == 1
    assert "export" in result.stderr


def test_a_missing_exchange_is_told(amqp_url: str) -> None:
    """Where no worker has run, there is nowhere to publish to."""
    result = invoke(amqp_url, "publish", "-", stdin=body(1))
    assert result.exit_code == 1
    assert "no exchange bimp.orders" in result.stderr


def test_a_message_that_no_queue_takes_is_told(orders: str) -> None:
    """Published into the void is not published."""
    with connect(orders) as connection:
        connection.channel().queue_delete("fiscalize")
    result = invoke(orders, "publish", "-", stdin=body(1))
    assert result.exit_code == 1
    assert "no queue is bound" in result.stderr


def test_a_missing_file_is_wrong_usage(orders: str) -> None:
    """Before anything is published."""
    assert invoke(orders, "publish", "-", "missing.json", stdin=body(1)).exit_code == 2
    assert drained(orders, "fiscalize") == []
