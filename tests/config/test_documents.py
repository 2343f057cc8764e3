"""The example files and the documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from dotenv import dotenv_values

from config.setting_lines import variable
from config.settings import Settings, load
from config.unknown_variables import unknown_variables
from docs.build.settings_table import settings_table
from tests.config.conftest import load as load_integrations
from worker.fiscal.integrations import ShiftPolicy

ROOT = Path(__file__).parents[2]
ENV_EXAMPLE = ROOT / "config" / "fiscal-worker.env.example"


def test_example_of_integrations() -> None:
    """The example loads without a warning and shows both ways of signing in and both kinds of shifts."""
    environ = dict.fromkeys(["OLENA_PASSWORD", "PETRO_PASSWORD", "ROBOT_PIN_CODE", "ROBOT_LICENSE_KEY"], "x")
    loaded = load_integrations(ROOT / "config" / "integrations.example.yaml", environ)
    assert loaded.warnings == []
    assert {integration.shifts for integration in loaded.integrations.values()} == set(ShiftPolicy)
    cashiers = [c for integration in loaded.integrations.values() for c in integration.cashiers.values()]
    assert any(cashier.login for cashier in cashiers)
    assert any(cashier.pin_code for cashier in cashiers)


def test_example_of_the_environment(tmp_path: Path) -> None:
    """The example names every variable and none other, and gives the defaults."""
    text = ENV_EXAMPLE.read_text("utf-8")
    named = set(re.findall(r"^#?(FISCAL_[A-Z_]+)=", text, re.MULTILINE))
    assert named == {variable(name) for name in Settings.model_fields}
    assert unknown_variables(dict.fromkeys(dotenv_values(ENV_EXAMPLE), "")) == []
    defaults = load()
    (tmp_path / ".env").write_text(text)
    assert load() == defaults


def test_example_of_the_archive_check(tmp_path: Path) -> None:
    """The address that is commented out in the example may be used as it stands."""
    text = ENV_EXAMPLE.read_text("utf-8").replace("#FISCAL_ARCHIVE", "FISCAL_ARCHIVE")
    (tmp_path / ".env").write_text(text)
    assert load().archive_check_url == "https://bimp.example/orders/{orderUuid}"


def test_table_has_every_variable() -> None:
    """Each variable has one row with its default."""
    rows = settings_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [variable(name) for name in Settings.model_fields]
    table = settings_table()
    assert "| `FISCAL_RETRY_MAX_AGE` | `PT24H` |" in table
    assert "| `FISCAL_REGISTER_RATE` | `2` |" in table
    assert "| `FISCAL_BINDINGS` | `order.ready_to_fiscalize.#` |" in table
    assert "| `FISCAL_ARCHIVE_CHECK_TOKEN` | none |" in table
    assert [row.split("`")[1] for row in rows if row.endswith("(secret) |")] == [
        "FISCAL_RABBITMQ_URL",
        "FISCAL_INTEGRATIONS_TOKEN",
        "FISCAL_JOURNAL_URL",
        "FISCAL_ARCHIVE_CHECK_TOKEN",
        "FISCAL_CONSOLE_TOKEN",
        "FISCAL_CONSOLE_READ_TOKEN",
    ]
    assert all(row.count("|") == 5 for row in rows)
