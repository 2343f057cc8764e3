"""The environment becomes settings, or lines that say what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config.environment import environment
from config.errors import ConfigurationError
from config.settings import Settings, load
from config.unknown_variables import unknown_variables

CONTRACT_DEFAULTS = {
    "rabbitmq_url": SecretStr("amqp://guest:guest@127.0.0.1:5672/%2F"),
    "checkbox_url": "https://api.checkbox.ua",
    "runbook_url": "https://bimpsoft.com/fiscal-worker/docs/runbook.md",
    "integrations_file": Path("config/integrations.yaml"),
    "integrations_url": None,
    "integrations_token": None,
    "integrations_poll": timedelta(seconds=30),
    "metrics_port": 9191,
    "processes": 2,
    "threads": 8,
    "retry_max_age": timedelta(hours=24),
    "retry_min_backoff": timedelta(seconds=5),
    "retry_max_backoff": timedelta(minutes=10),
    "return_wait": timedelta(seconds=10),
    "register_rate": 2,
    "queue": "fiscalize",
    "bindings": ("order.ready_to_fiscalize.#",),
    "dead_letter_limit": 100,
    "queue_type": "quorum",
    "archive_check_url": None,
    "archive_check_token": None,
    "log_format": "json",
    "log_level": "INFO",
    "console_token": None,
    "console_read_token": None,
    "console_trust_forwarded_user": False,
    "secrets_dir": Path("/run/secrets"),
}


BINDINGS_RULE = "routing patterns such as order.ready_to_fiscalize.# with ';' between"
ARCHIVE_RULE = "an http:// or https:// address with {orderUuid} in it"


def lines_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as raised:
        load()
    return raised.value.lines


def test_defaults() -> None:
    """With no variable set, every setting has the value that the contract names."""
    assert load().model_dump() == CONTRACT_DEFAULTS


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each variable changes its own setting."""
    given = {
        "FISCAL_RABBITMQ_URL": "amqps://u:p@a/%2F; amqp://u:p@[::1]:5673/v?heartbeat=20 ;",
        "FISCAL_CHECKBOX_URL": "http://127.0.0.1:8000/",
        "FISCAL_RUNBOOK_URL": "https://wiki.example/runbook/",
        "FISCAL_INTEGRATIONS_FILE": "/etc/fiscal/i.yaml",
        "FISCAL_INTEGRATIONS_TOKEN": "t0ken-2",
        "FISCAL_INTEGRATIONS_POLL": "PT5S",
        "FISCAL_METRICS_PORT": "1",
        "FISCAL_PROCESSES": "32",
        "FISCAL_THREADS": "100",
        "FISCAL_RETRY_MAX_AGE": "P1DT1H",
        "FISCAL_RETRY_MIN_BACKOFF": "PT0.1S",
        "FISCAL_RETRY_MAX_BACKOFF": "PT9M",
        "FISCAL_RETURN_WAIT": "PT1M",
        "FISCAL_REGISTER_RATE": "0.5",
        "FISCAL_QUEUE": "fiscalize-south",
        "FISCAL_BINDINGS": "order.ready_to_fiscalize.a.*; order.ready_to_fiscalize.b.#",
        "FISCAL_DEAD_LETTER_LIMIT": "5",
        "FISCAL_QUEUE_TYPE": "classic",
        "FISCAL_ARCHIVE_CHECK_URL": "https://bimp/o/{orderUuid}?x=1",
        "FISCAL_ARCHIVE_CHECK_TOKEN": "t0ken",
        "FISCAL_LOG_FORMAT": "console",
        "FISCAL_LOG_LEVEL": "debug",
        "FISCAL_CONSOLE_TOKEN": "may-change",
        "FISCAL_CONSOLE_READ_TOKEN": "may-look",
        "FISCAL_CONSOLE_TRUST_FORWARDED_USER": "true",
        "FISCAL_SECRETS_DIR": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.model_dump() == {
        "rabbitmq_url": SecretStr("amqps://u:p@a/%2F;amqp://u:p@[::1]:5673/v?heartbeat=20"),
        "checkbox_url": "http://127.0.0.1:8000",
        "runbook_url": "https://wiki.example/runbook",
        "integrations_file": Path("/etc/fiscal/i.yaml"),
        "integrations_url": None,
        "integrations_token": SecretStr("t0ken-2"),
        "integrations_poll": timedelta(seconds=5),
        "metrics_port": 1,
        "processes": 32,
        "threads": 100,
        "retry_max_age": timedelta(hours=25),
        "retry_min_backoff": timedelta(milliseconds=100),
        "retry_max_backoff": timedelta(minutes=9),
        "return_wait": timedelta(minutes=1),
        "register_rate": 0.5,
        "queue": "fiscalize-south",
        "bindings": ("order.ready_to_fiscalize.a.*", "order.ready_to_fiscalize.b.#"),
        "dead_letter_limit": 5,
        "queue_type": "classic",
        "archive_check_url": "https://bimp/o/{orderUuid}?x=1",
        "archive_check_token": SecretStr("t0ken"),
        "log_format": "console",
        "log_level": "DEBUG",
        "console_token": SecretStr("may-change"),
        "console_read_token": SecretStr("may-look"),
        "console_trust_forwarded_user": True,
        "secrets_dir": tmp_path,
    }
    assert settings.rabbitmq_urls == ("amqps://u:p@a/%2F", "amqp://u:p@[::1]:5673/v?heartbeat=20")
    assert unknown_variables(given) == []


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PROCESSES", "33", "'33' is not an integer from 1 to 32"),
        ("PROCESSES", "0", "'0' is not an integer from 1 to 32"),
        ("THREADS", "many", "'many' is not an integer from 1 to 100"),
        ("METRICS_PORT", "65536", "'65536' is not an integer from 1 to 65535"),
        ("RETRY_MAX_AGE", "PT0S", "'PT0S' is not an ISO 8601 duration over PT0S, up to P30D"),
        ("RETRY_MAX_AGE", "24", "'24' is not an ISO 8601 duration over PT0S, up to P30D"),
        ("RETRY_MIN_BACKOFF", "5s", "'5s' is not an ISO 8601 duration over PT0S, up to PT10M"),
        (
            "RETRY_MAX_BACKOFF",
            "PT11M",
            "'PT11M' is not an ISO 8601 duration from FISCAL_RETRY_MIN_BACKOFF to PT10M",
        ),
        (
            "RETRY_MAX_BACKOFF",
            "PT4S",
            "PT4S is under FISCAL_RETRY_MIN_BACKOFF, PT5S; allowed is an ISO 8601 duration from"
            " FISCAL_RETRY_MIN_BACKOFF to PT10M",
        ),
        ("RETURN_WAIT", "-PT1S", "'-PT1S' is not an ISO 8601 duration over PT0S, up to PT24H"),
        ("REGISTER_RATE", "0", "'0' is not a number over 0, up to 100"),
        ("REGISTER_RATE", "nan", "'nan' is not a number over 0, up to 100"),
        (
            "QUEUE",
            "a b",
            "'a b' is not 1 to 200 of A-Z, a-z, 0-9, '_', '-' and '.', beginning with a letter or digit",
        ),
        (
            "QUEUE",
            "fiscalize.dead_letters",
            "'fiscalize.dead_letters' is a name that RabbitMQ or the worker keeps for itself; allowed is 1 to"
            " 200 of A-Z, a-z, 0-9, '_', '-' and '.', beginning with a letter or digit",
        ),
        ("BINDINGS", ";", f"';' is not {BINDINGS_RULE}"),
        ("BINDINGS", "a..b", f"'a..b' is not {BINDINGS_RULE}"),
        ("DEAD_LETTER_LIMIT", "0", "'0' is not an integer from 1 to 1000000"),
        ("QUEUE_TYPE", "stream", "'stream' is not classic or quorum"),
        ("LOG_FORMAT", "text", "'text' is not json or console"),
        ("LOG_LEVEL", "loud", "'LOUD' is not DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        (
            "CONSOLE_TRUST_FORWARDED_USER",
            "perhaps",
            "'perhaps' is not true or false",
        ),
        ("SECRETS_DIR", "/no/such", "'/no/such' is not a folder that can be read"),
        (
            "CHECKBOX_URL",
            "api.checkbox.ua",
            "does not begin with http:// or https://; allowed is an http:// or https:// address without user"
            " name and query",
        ),
        (
            "ARCHIVE_CHECK_URL",
            "https://bimp/o",
            f"does not contain {{orderUuid}}; allowed is {ARCHIVE_RULE}",
        ),
        (
            "ARCHIVE_CHECK_URL",
            "https://bimp/{orderUuid}/{company}",
            f"has braces other than {{orderUuid}}; allowed is {ARCHIVE_RULE}",
        ),
        (
            "ARCHIVE_CHECK_URL",
            "ftp://bimp/{orderUuid}",
            f"does not begin with http:// or https://; allowed is {ARCHIVE_RULE}",
        ),
    ],
)
def test_wrong_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str) -> None:
    """A wrong value is one line with the variable, what is wrong and what is allowed."""
    assert lines_of(monkeypatch, **{f"FISCAL_{name}": value}) == [f"FISCAL_{name}: {line}"]


BROKER_RULE = "allowed is amqp:// or amqps:// addresses with ';' between"
ESCAPES = "is not a URL; / ? # @ : in a password are written as %2F %3F %23 %40 %3A"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "RABBITMQ_URL",
            "amqp://h;http://u:hunter2@h",
            "address 2 of 2 does not begin with amqp:// or amqps://",
        ),
        ("RABBITMQ_URL", "amqp://u:hunter2/@h:5672/", f"address 1 of 1 {ESCAPES}"),
        ("RABBITMQ_URL", "amqp://u:hunter2@", "address 1 of 1 has no host"),
        ("RABBITMQ_URL", "amqp://u:hunter2@h:99999", f"address 1 of 1 {ESCAPES}"),
        ("RABBITMQ_URL", "amqp://u:hunter 2@h", "address 1 of 1 has a space or a control character"),
        ("RABBITMQ_URL", " ; ", "holds no address"),
        ("CHECKBOX_URL", "https://u:hunter2@h", "holds a user name or a password"),
        ("CHECKBOX_URL", "https://h/?hunter2", "has a query or a fragment"),
        (
            "ARCHIVE_CHECK_URL",
            "https://u:hunter2@h/{orderUuid}",
            "holds a user name or a password; use FISCAL_ARCHIVE_CHECK_TOKEN",
        ),
        (
            "INTEGRATIONS_URL",
            "https://u:hunter2@h/i",
            "holds a user name or a password; use FISCAL_INTEGRATIONS_TOKEN",
        ),
        ("INTEGRATIONS_URL", "https://h/i#hunter2", "has a fragment"),
        ("INTEGRATIONS_URL", "http://hunter2/i", "is not encrypted, and not an address of this machine"),
        ("INTEGRATIONS_TOKEN", "hunter2\nx", "has characters that cannot be in an HTTP header"),
        ("ARCHIVE_CHECK_TOKEN", "hunter2\nx", "has characters that cannot be in an HTTP header"),
    ],
)
def test_secrets_stay_out_of_lines(monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str) -> None:
    """What is wrong with an address or a token is told without repeating any of it."""
    (found,) = lines_of(monkeypatch, **{f"FISCAL_{name}": value})
    assert found.startswith(f"FISCAL_{name}: {line}; allowed is ")
    assert "hunter" not in found


@pytest.mark.parametrize(
    "url",
    [
        "https://bimp.example/i?all=1",
        "http://127.0.0.1:8000/i",
        "http://127.1.2.3/i",
        "http://[::1]:8000/i",
        "http://localhost/i",
    ],
)
def test_addresses_of_integrations(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Encrypted, or of this machine; never beside a file, not even that of the default."""
    monkeypatch.setenv("FISCAL_INTEGRATIONS_URL", url)
    assert load().integrations_url == url
    assert lines_of(monkeypatch, FISCAL_INTEGRATIONS_FILE="config/integrations.yaml") == [
        "FISCAL_INTEGRATIONS_URL: stands beside the file; allowed is one of the two"
    ]


def test_secrets_stay_out_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings as text nor the chain of an error shows a password or a token."""
    monkeypatch.setenv("FISCAL_RABBITMQ_URL", "amqp://u:hunter2@h")
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_URL", "https://h/{orderUuid}?key=hunter2")
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_TOKEN", "hunter2")
    assert "hunter2" not in repr(load()) + str(load())
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_TOKEN", "hunter2 ")
    monkeypatch.setenv("FISCAL_RABBITMQ_URL", "http://u:hunter2@h")
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert "hunter2" not in repr(raised.value)
    with pytest.raises(ValidationError) as unread:
        Settings()
    assert "hunter2" not in str(unread.value)


def test_every_wrong_value_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several wrong values are as many lines, so that one start shows them all."""
    assert lines_of(
        monkeypatch,
        FISCAL_THREADS="many",
        FISCAL_RETRY_MAX_BACKOFF="PT1S",
        FISCAL_SECRETS_DIR="/no/such",
        FISCAL_LOG_LEVEL="loud",
    ) == [
        "FISCAL_SECRETS_DIR: '/no/such' is not a folder that can be read",
        "FISCAL_THREADS: 'many' is not an integer from 1 to 100",
        "FISCAL_RETRY_MAX_BACKOFF: PT1S is under FISCAL_RETRY_MIN_BACKOFF, PT5S; allowed is an ISO 8601"
        " duration from FISCAL_RETRY_MIN_BACKOFF to PT10M",
        "FISCAL_LOG_LEVEL: 'LOUD' is not DEBUG, INFO, WARNING, ERROR or CRITICAL",
    ]


def test_precedence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment comes before the .env file, and that before the secrets folder."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("FISCAL_THREADS", "FISCAL_PROCESSES", "FISCAL_DEAD_LETTER_LIMIT"):
        (folder / name).write_text("3\n")
    (tmp_path / ".env").write_text(
        f"FISCAL_THREADS=4\nFISCAL_PROCESSES=4\nFISCAL_SECRETS_DIR={folder}\nOLENA_PASSWORD=p\n"
    )
    monkeypatch.setenv("FISCAL_THREADS", "5")
    settings = load()
    assert (settings.threads, settings.processes, settings.dead_letter_limit) == (5, 4, 3)
    assert environment()["OLENA_PASSWORD"] == "p"
    assert environment()["FISCAL_THREADS"] == "5"


def test_kubernetes_secret_volume(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret that a volume shows through its ..data link is read."""
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "FISCAL_RABBITMQ_URL").write_text("amqp://u:p@h\n")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "FISCAL_RABBITMQ_URL").symlink_to("..data/FISCAL_RABBITMQ_URL")
    monkeypatch.setenv("FISCAL_SECRETS_DIR", str(tmp_path))
    assert load().rabbitmq_urls == ("amqp://u:p@h",)


def test_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable leaves the default in force."""
    monkeypatch.setenv("FISCAL_ARCHIVE_CHECK_URL", "")
    monkeypatch.setenv("FISCAL_THREADS", "")
    assert load().archive_check_url is None
    assert load().threads == 8


def test_unreadable_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A .env file or a secret that is not text is a line and no traceback."""
    (tmp_path / ".env").write_bytes(b"FISCAL_THREADS=\xff\n")
    assert lines_of(monkeypatch) == [".env: cannot be read: UnicodeDecodeError"]
    (tmp_path / ".env").unlink()
    (tmp_path / "FISCAL_RABBITMQ_URL").write_bytes(b"\xff")
    assert lines_of(monkeypatch, FISCAL_SECRETS_DIR=str(tmp_path)) == [
        f"{tmp_path}: a file in it cannot be read: UnicodeDecodeError"
    ]


def test_unknown_variables() -> None:
    """A variable of ours that means nothing is named, with the one that was meant; others are left alone."""
    environ = dict.fromkeys(
        ["PATH", "FISCAL_THREADS", "FISCAL_THREDS", "fiscal_queue", "FISCAL_X", "FISCAL_METRIC_PORT"], "1"
    )
    assert unknown_variables(environ) == [
        "FISCAL_METRIC_PORT is not known; is FISCAL_METRICS_PORT meant?",
        "FISCAL_THREDS is not known; is FISCAL_THREADS meant?",
        "FISCAL_X is not known",
    ]


def test_variables_of_kubernetes() -> None:
    """What Kubernetes adds for a Service of our name is no typing error."""
    names = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_METRICS", "PORT", "PORT_9191_TCP_ADDR")
    environ = {f"FISCAL_WORKER_{name}": "x" for name in names}
    assert unknown_variables(environ) == []


def test_settings_do_not_change() -> None:
    """Settings are fixed once they are loaded."""
    with pytest.raises(Exception, match="frozen"):
        Settings().threads = 3  # type: ignore[misc]


def test_the_two_tokens_of_the_console_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else who may only look could change things; the line does not repeat the token."""
    (line,) = lines_of(monkeypatch, FISCAL_CONSOLE_TOKEN="same", FISCAL_CONSOLE_READ_TOKEN="same")
    assert line.startswith("FISCAL_CONSOLE_READ_TOKEN: the value is FISCAL_CONSOLE_TOKEN")
    assert "same" not in line
