"""Finds the shifts of the configured registers and cashiers, and who opened them.

A register's shifts are listed by its licence key, without a sign-in; those of a cashier without a key by his
own token.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from worker.checkbox.books import Period, shifts_of_cashier, shifts_of_register
from worker.checkbox.client import CheckboxClient
from worker.checkbox.shift_answers import ShiftRecord
from worker.checkbox.signed_in import signed_in
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Verdict
from worker.fiscal.ports import Refusal, TokenRefused

T = TypeVar("T")
Row = tuple[str, str]
#: Seconds by which a list may date a shift otherwise: when it was asked for, or when it was open.
_AROUND = 600.0


class NotAsked(Exception):
    """Checkbox, or the journal, could not be asked; the text is the reason, in plain words."""


class TokenEnded(NotAsked):
    """The token counts no longer."""


@dataclass(frozen=True, slots=True)
class Register:
    """A register as people know it; each is None where Checkbox does not say."""

    fiscal_number: str | None
    is_test: bool | None


@dataclass(slots=True)
class FoundShift:
    """A shift, with the rows that are concerned."""

    record: ShiftRecord
    register: Register
    #: Rows that name its register's key, and the rows whose cashier it is.
    sharing: set[Row] = field(default_factory=set)
    openers: set[Row] = field(default_factory=set)

    @property
    def rows(self) -> set[Row]:
        return self.sharing | self.openers

    @property
    def told_for(self) -> list[tuple[str, str | None]]:
        """Integration and cashier of each one who is notified of it."""
        if self.openers:
            return sorted(self.openers)
        return [(one, None) for one in sorted({integration for integration, _ in self.sharing})]


@dataclass(slots=True)
class Findings:
    """Shifts by id; and what could not be asked, by row."""

    shifts: dict[str, FoundShift] = field(default_factory=dict)
    not_asked: dict[Row, str] = field(default_factory=dict)


class Access(ABC):
    """Calls to Checkbox as one of the configured rows."""

    def __init__(self, client: CheckboxClient, integrations: Mapping[str, Integration]) -> None:
        self.client = client
        self.integrations = integrations

    def of(self, row: Row) -> tuple[Integration, Cashier]:
        integration = self.integrations[row[0]]
        return integration, integration.cashiers[row[1]]

    def as_row(self, row: Row, call: Callable[[str, str], T]) -> T:
        """What a call with Checkbox's address and the row's token returns. Raises ``NotAsked``.

        A token that counts no longer is replaced, once.
        """
        url = self.of(row)[0].checkbox_url
        token = asked(row, lambda: self.token(row, None))
        try:
            return asked(row, lambda: call(url, token))
        except TokenEnded:
            renewed = asked(row, lambda: self.token(row, token))
        return asked(row, lambda: call(url, renewed))

    @abstractmethod
    def token(self, row: Row, refused: str | None) -> str:
        """A token of the row's cashier; another one than ``refused``. Raises what a sign-in raises."""


class OwnAccess(Access):
    """Sign-ins of its own, each made when it is first needed, and ended with the block."""

    def __init__(self, client: CheckboxClient, integrations: Mapping[str, Integration]) -> None:
        super().__init__(client, integrations)
        self._open = ExitStack()
        self._tokens: dict[Row, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def token(self, row: Row, refused: str | None) -> str:
        if self._tokens.get(row) == refused:
            self._tokens[row] = self._open.enter_context(signed_in(self.client, *self.of(row)))
        return self._tokens[row]


def asked(row: Row, call: Callable[[], T]) -> T:
    """What the call returns. Raises ``NotAsked`` where Checkbox does not answer, or refuses."""
    try:
        return call()
    except TokenRefused:
        raise TokenEnded(f"Checkbox as {row[0]}/{row[1]}: the token was refused") from None
    except (Verdict, Refusal) as fault:
        why = getattr(fault, "detail", {})
        words = why.get("message") or why.get("reason") or type(fault).__name__
        raise NotAsked(f"Checkbox as {row[0]}/{row[1]}: {words}") from None


def find_shifts(access: Access, period: Period, rows: Iterable[Row]) -> Findings:
    """Shifts that were opened in this time."""
    findings = Findings()
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        integration, cashier = access.of(row)
        key = cashier.license_key.get_secret_value() if cashier.license_key else None
        if key is not None:
            by_key.setdefault(f"{integration.checkbox_url} {key}", []).append(row)
            continue
        try:
            _find_of_cashier(access, period, row, findings)
        except NotAsked as reason:
            findings.not_asked[row] = str(reason)
    for sharing in by_key.values():
        try:
            _find_of_register(access, period, sharing, findings)
        except NotAsked as reason:
            findings.not_asked |= dict.fromkeys(sharing, str(reason))
    return findings


def _find_of_cashier(access: Access, period: Period, row: Row, findings: Findings) -> None:
    records = own_shifts(access, row, period)
    if not records:
        return
    is_test = access.as_row(row, access.client.cashier_me).is_test
    for record in records:
        register = Register(record.register_number, is_test)
        findings.shifts.setdefault(record.id, FoundShift(record, register)).openers.add(row)


def own_shifts(access: Access, row: Row, period: Period) -> list[ShiftRecord]:
    """Those of the row's cashier. Raises ``NotAsked``."""
    return access.as_row(row, lambda url, token: shifts_of_cashier(access.client, url, token, period))


def _find_of_register(access: Access, period: Period, sharing: list[Row], findings: Findings) -> None:
    integration, cashier = access.of(sharing[0])
    key, url = cashier.license_key, integration.checkbox_url
    assert key is not None
    records = asked(sharing[0], lambda: shifts_of_register(access.client, url, key, period))
    if not records:
        return
    info = asked(sharing[0], lambda: access.client.register_info(url, key))
    for record in records:
        found = findings.shifts.setdefault(record.id, FoundShift(record, Register(None, None)))
        found.register = Register(info.fiscal_number, info.is_test)
        found.sharing |= set(sharing)


def find_openers(access: Access, found: FoundShift) -> None:
    """Which of the rows that share the register have the cashier who opened the shift.

    He is the one whose own list shows it. A row that cannot sign in is passed over.
    """
    period = Period(found.record.opened_at - _AROUND, found.record.opened_at + _AROUND)
    for row in sorted(found.sharing - found.openers):
        try:
            own = own_shifts(access, row, period)
        except NotAsked:
            continue
        if any(record.id == found.record.id for record in own):
            found.openers.add(row)
