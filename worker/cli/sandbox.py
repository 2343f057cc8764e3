"""``fiscal-worker sandbox``: a stand-in for Checkbox."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from config.environment import environment
from config.errors import ConfigurationError
from config.integrations_watch import load
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.sandbox.fault_kinds import described
from worker.sandbox.faults import Fault

if TYPE_CHECKING:  # starlette and uvicorn are an extra
    from worker.sandbox.seeding import Shop, Till

#: No address of Checkbox's matters to Checkbox itself.
_ANY_ADDRESS = "http://127.0.0.1"


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 is any free one.")] = 8800,
    integrations: Annotated[
        Path | None, typer.Option(help="Integrations file: its cashiers, registers and taxes.")
    ] = None,
    cashiers: Annotated[
        int, typer.Option(help="How many cashiers to generate: c0001, password secret-c0001, and so on.")
    ] = 0,
    shifts: Annotated[bool, typer.Option(help="Open the shifts of cashiers whose shifts are manual.")] = True,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND[=PROBABILITY][,count=,endpoint=,cashier=,receipt=,seconds=,status=,code=,words=]; "
            'repeatable. Also at any time: POST /sandbox/faults with {"kind": ..., ...}.'
        ),
    ] = None,
    done_after: Annotated[float, typer.Option(help="Seconds from CREATED to DONE.")] = 2.0,
    latency: Annotated[float, typer.Option(help="Seconds added to every answer.")] = 0.0,
    rounding: Annotated[
        str, typer.Option(help="Of fractions of a kopiyka: half_up, truncate or half_even.")
    ] = "half_up",
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of the assumptions and the timing; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats the faults of an earlier run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as a JSON line.")] = False,
) -> None:
    """A stand-in for Checkbox, with its faults on demand."""
    try:
        from worker.sandbox import routes, seeding, server
    except ModuleNotFoundError as missing:
        typer.echo(
            f"the sandbox needs {missing.name}: install fiscal-worker[sandbox], or [demo] for the demo",
            err=True,
        )
        raise typer.Exit(2) from None
    from worker.sandbox.clock import Clock
    from worker.sandbox.options import Options, read_option
    from worker.sandbox.state import State

    try:
        options = Options(done_after=done_after, latency=latency).with_changes(
            {"rounding": rounding, **dict(read_option(text) for text in option or ())}
        )
        state = State(Clock(), options, seed)
        for text in fault or ():
            state.faults.add(Fault.parse(text))
        seeds = [seeding.of_shops(_shops(integrations), shifts=shifts)] if integrations else []
        count = cashiers or (0 if integrations else 1)
        seeds.append(seeding.generated(count, shifts=shifts))
        application = routes.application(state, seeding.all_of(seeds))
        server.serve(
            application, host, port, lambda url: _announce(url, len(state.cashiers), as_json=as_json)
        )
    except (ValueError, OSError) as error:
        typer.echo(f"sandbox: {error}", err=True)
        raise typer.Exit(2) from None


sandbox.__doc__ = f"""{sandbox.__doc__}

\b
Kinds of faults:
{described()}
"""


def _shops(integrations: Path) -> list[Shop]:
    """The shops of a file or folder, read as the worker reads it; all or none.

    Raises ``ConfigurationError``.
    """
    version = load(integrations, _ANY_ADDRESS, environment())
    if problems := [*version.faults, *chain.from_iterable(version.problems.values())]:
        raise ConfigurationError(problems)
    return [_shop(integration) for integration in version.integrations.in_force.values()]


def _shop(integration: Integration) -> Shop:
    from worker.sandbox.seeding import Shop

    rates = integration.tax_rates
    no_vat = [] if rates.not_accountable is None else [(rates.not_accountable, None)]
    return Shop(
        title=integration.name,
        taxes=(*((code, rate) for rate, code in rates.codes.items()), *no_vat),
        tills=tuple(_till(cashier) for cashier in integration.cashiers.values()),
        has_shifts=integration.shifts is ShiftPolicy.MANUAL,
    )


def _till(cashier: Cashier) -> Till:
    from worker.sandbox.seeding import Till

    login = cashier.login or cashier.id
    return Till(
        login=login,
        password=_revealed(cashier.password),
        pin_code=_revealed(cashier.pin_code),
        license_key=_revealed(cashier.license_key) or f"test-{login}",
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _announce(url: str, cashiers: int, *, as_json: bool) -> None:
    line = json.dumps({"url": url, "cashiers": cashiers}) if as_json else f"Checkbox sandbox on {url}"
    typer.echo(line)
