"""The sandbox as a process of one's own, for tests, chaos runs and the demo."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx2

from worker.demo.free_ports import free_ports
from worker.demo.guarded_folder import GuardedFolder

_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 5.0


class SandboxProcess:
    """``fiscal-worker sandbox`` on a free port, from ``with`` to its end; it ends with this process too.

    ``options`` are those of ``--option``, ``faults`` the texts of ``--fault``.
    """

    #: Options of every sandbox that this process starts, where it is not given others.
    defaults: ClassVar[dict[str, Any]] = {}
    #: What Python runs for it.
    program: ClassVar[tuple[str, ...]] = ("-m", "worker")

    def __init__(
        self,
        *,
        cashiers: int = 0,
        integrations: Path | None = None,
        shifts: bool = True,
        faults: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        seed: int | None = None,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._port = port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        self._arguments = ["--port", str(self._port), "--cashiers", str(cashiers)]
        self._arguments += [] if shifts else ["--no-shifts"]
        self._arguments += ["--integrations", str(integrations.resolve())] if integrations else []
        self._arguments += ["--seed", str(seed)] if seed is not None else []
        for text in faults:
            self._arguments += ["--fault", text]
        for name, value in {**self.defaults, **(options or {})}.items():
            self._arguments += ["--option", f"{name}={'null' if value is None else value}"]
        self._environment = {**os.environ, **(environment or {})}
        self._folder: GuardedFolder | None = None
        self._client = httpx2.Client(base_url=self.url, timeout=60.0, trust_env=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it listens; raises ``RuntimeError`` with its output where it does not come to that."""
        folder = self._folder = GuardedFolder("sandbox-")
        command = [sys.executable, *self.program, "sandbox", *self._arguments]
        process = folder.launch("sandbox", command, self._environment)
        self._process = process
        give_up_at = time.monotonic() + _STARTS_WITHIN
        while not self._listens():
            if process.poll() is not None or time.monotonic() > give_up_at:
                output = folder.log()
                self.stop()
                raise RuntimeError(f"the sandbox did not start: {output}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Its memory, the ledger too, goes with it."""
        if self._folder is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOPS_WITHIN)
        self._folder.close()
        self._folder = None

    def kill(self) -> None:
        """SIGKILL, as when the other side falls over."""
        self._process.kill()
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._folder.log() if self._folder else ""

    def ledger(self, *, body: bool = True) -> list[dict[str, Any]]:
        """All receipts in the order of their making."""
        entries: list[dict[str, Any]] = self._call("GET", f"/sandbox/ledger?body={int(body)}")
        return entries

    def receipts_of(self, *ids: str) -> list[dict[str, Any]]:
        """The ledger's entries of these receipts, in the order of their making."""
        wanted = {receipt_id.lower() for receipt_id in ids}
        return [entry for entry in self.ledger() if entry["id"] in wanted]

    def counters(self) -> dict[str, Any]:
        counters: dict[str, Any] = self._call("GET", "/sandbox/counters")
        return counters

    def requests(self, endpoint: str) -> int:
        """How many there were, whatever the answer; ``POST /receipts/sell`` for instance."""
        return sum(self.counters()["requests"].get(endpoint, {}).values())

    def fault(self, kind: str, **settings: Any) -> None:
        """Order a fault; the settings are those of ``worker.sandbox.faults.Fault``."""
        self._call("POST", "/sandbox/faults", {"kind": kind, **settings})

    def clear_faults(self) -> None:
        self._call("DELETE", "/sandbox/faults")

    def advance(self, seconds: float) -> None:
        """Move the clock on, so that a shift becomes old or a receipt DONE."""
        self._call("POST", "/sandbox/clock", {"advance_seconds": seconds})

    def set_options(self, **options: Any) -> dict[str, Any]:
        """Until a reset; all of them, as they are then."""
        changed: dict[str, Any] = self._call("POST", "/sandbox/options", options)
        return changed

    def put_cashier(self, login: str, **settings: Any) -> dict[str, Any]:
        """A new cashier, or new settings of a known one: see ``worker.sandbox.parties.put_cashier``."""
        answer: dict[str, Any] = self._call("POST", "/sandbox/cashiers", {"login": login, **settings})
        return answer

    def open_shift(self, cashier: str, opened_at: str | None = None) -> dict[str, Any]:
        """As a person would: open at once, at ``opened_at`` (RFC 3339) where that is given."""
        body = {"cashier": cashier, "action": "open", "opened_at": opened_at}
        shift: dict[str, Any] = self._call("POST", "/sandbox/shifts", body)
        return shift

    def close_shift(self, cashier: str) -> dict[str, Any]:
        """As a person would: closed at once."""
        body = {"cashier": cashier, "action": "close"}
        shift: dict[str, Any] = self._call("POST", "/sandbox/shifts", body)
        return shift

    def set_organization(self, cashier: str, **settings: Any) -> None:
        """Of this cashier: see ``worker.sandbox.parties.set_organization``."""
        self._call("POST", "/sandbox/organizations", {"cashier": cashier, **settings})

    def set_register(self, cashier: str, **settings: Any) -> None:
        """Of this cashier: see ``worker.sandbox.parties.set_register``."""
        self._call("POST", "/sandbox/registers", {"cashier": cashier, **settings})

    def set_till(self, cashier: str, kopiykas: int) -> None:
        self.set_register(cashier, till=kopiykas)

    def end_receipt(self, receipt_id: str, status: str, words: str | None = None) -> None:
        """End it now, in DONE or ERROR; GONE: no call shows it any more."""
        body = {"status": status, **({"words": words} if words else {})}
        self._call("POST", f"/sandbox/receipts/{receipt_id}", body)

    def reset(self) -> None:
        """As after the start, but for the clock and the faults of the start."""
        self._call("POST", "/sandbox/reset")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        response = self._client.request(method, path, json=body)
        if response.status_code != 200:
            raise ValueError(f"{method} {path}: {response.text}")
        return response.json()

    def _listens(self) -> bool:
        try:
            return self._client.get("/status").status_code == 200
        except httpx2.TransportError:
            return False
