"""The shift of a signed-in cashier: looked at, opened and closed, and the register that it belongs at.

Closing names no shift: it ends whichever is open when it arrives. So that a late one never ends a shift that
was opened meanwhile, a closing is sent within ``_DECIDED_WITHIN`` of the look that showed the old shift open,
and a new shift is opened only when such a closing can arrive no more. See docs/decisions/0012.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from worker.checkbox.client import CheckboxClient
from worker.checkbox.known_shift import KnownShift
from worker.checkbox.rules import tells_of_expired_key
from worker.checkbox.token import CashierToken, Remembered
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.ports import CashierHasShift, KeyRegister, Shift, ShiftNotOpened
from worker.fiscal.reasons import Reason

#: Seconds from the look that shows the shift open until the closing is sent, at most.
_DECIDED_WITHIN = 2.0
#: Seconds from the end of a shift to the opening of the next: ``_DECIDED_WITHIN``, 8 s for a call to arrive,
#: and 5 s that Checkbox's clock and ours may differ.
_REST = 15.0
#: Seconds after a rest within which nobody can have opened another shift and closed it unseen.
_RESTED = 5.0


class CashierShift:
    """For one thread at a time."""

    def __init__(
        self,
        client: CheckboxClient,
        url: str,
        access: CashierToken,
        row: Cashier,
        monotonic: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._url = url
        self._access = access
        self._monotonic = monotonic
        self._clock = clock
        self.known = KnownShift(monotonic, clock)
        self._row = row
        self._private: tuple[str, ...] = ()
        self._opening: UUID | None = None
        self._rests_until: float | None = None
        self._refused = Remembered(monotonic)
        self._key_refused = Remembered(monotonic)
        self._key_registers: dict[str, KeyRegister] = {}

    def serve(self, row: Cashier, private: tuple[str, ...]) -> None:
        """Use this row from now on; ``private`` must not be repeated from Checkbox's words."""
        if row.license_key != self._row.license_key:
            self._refused.forget()
            self._key_refused.forget()
        self._row = row
        self._private = private

    def look(self, good_for: float) -> Shift | None:
        """The shift as far as known, see ``CashierSession.shift``."""
        if self.known.is_doubtful(good_for):
            self._read()
        return self.known.shift

    def was_sold_in(self, shift_id: str | None) -> None:
        """Another shift than the one that is known, and perhaps at another register: the next one looks."""
        known = self.known.shift
        if known is not None and shift_id is not None and known.id != shift_id.lower():
            self.known.doubt()

    def key_register(self) -> KeyRegister | None:
        """Asked for once for each licence key; a refusal is believed for some seconds."""
        key = self._row.license_key
        if key is None:
            return None
        known = self._key_registers.get(key.get_secret_value())
        if known is None:
            self._key_refused.raise_again()
            try:
                info = self._client.register_info(self._url, key)
            except Rejected as refusal:
                raise self._key_refused.keep(refusal) from None
            if info.id is None and info.fiscal_number is None:
                raise Unavailable({"reason": "register_unknown"})
            known = KeyRegister(info.id, info.fiscal_number, info.organization_id)
            self._key_registers[key.get_secret_value()] = known
        return known

    def rest_before_opening(self) -> float:
        """Seconds until no closing that was meant for the last shift can arrive."""
        if self._opening is not None:
            return 0.0
        if self._rests_until is None or self._monotonic() - self._rests_until > _RESTED:
            self._rests_until = self._monotonic() + self._rest()
        return max(self._rests_until - self._monotonic(), 0.0)

    def _rest(self) -> float:
        try:
            closed_at = self._access.call(
                lambda token: self._client.last_shift_closed_at(self._url, token, private=self._private)
            )
        except (Rejected, Unavailable):  # it is as if the shift had ended right now
            return _REST
        return 0.0 if closed_at is None else min(max(closed_at + _REST - self._clock(), 0.0), _REST)

    def open(self) -> None:
        """Ask for a shift, unless the one that was asked for before is opening or has ended.

        Raises ``Rejected`` (REGISTER_BUSY, SHIFT_NOT_OPEN with Checkbox's reason).
        """
        self._refused.raise_again()
        if self._opening is not None:
            self._follow(self._opening)
            return
        shift_id, key = uuid4(), self._row.license_key
        if key is None:  # the last sound version of a row, from when its shifts were people's
            raise Rejected(Code.SHIFT_NOT_OPEN, {"reason": "license_key_missing"})
        try:
            opening = self._access.call(
                lambda token: self._client.open_shift(self._url, token, key, shift_id, private=self._private)
            )
        except CashierHasShift:
            self.known.doubt()  # another process was faster: the next look finds its shift
        except Rejected as refusal:
            if refusal.code is Code.REGISTER_BUSY and self._read() is not None:
                return  # it is this cashier's own shift that keeps the register busy
            raise self._refused.keep(refusal) from None
        else:
            self._opening = shift_id
            self._see(opening)

    def _follow(self, shift_id: UUID) -> None:
        """A refused opening does not fail the call: the shift goes to CLOSED and keeps the reason."""
        self._opening = None
        shift = self._access.call(
            lambda token: self._client.shift(self._url, token, shift_id, private=self._private)
        )
        if not shift.is_closed:
            self._opening = shift_id
            self._see(shift)
            return
        if shift.refusal is None and shift.opened_at is not None:
            self._rests_until = None  # it was open, and somebody has closed it: the next one has its rest
            return
        detail = {"shiftId": shift.id, "reason": shift.refusal}
        if tells_of_expired_key(shift.refusal or ""):
            detail |= {"reason": Reason.KEY_EXPIRED, "message": shift.refusal}
        raise self._refused.keep(Rejected(Code.SHIFT_NOT_OPEN, detail))

    def close(self, shift: Shift) -> bool:
        """Whether this very shift was asked to end: it was open a moment before."""
        looked_at = self._monotonic()
        current = self._read()
        if current is None or not current.is_open or current.id != shift.id:
            return False

        def close(token: str) -> Shift | None:
            if self._monotonic() - looked_at > _DECIDED_WITHIN:
                return None
            return self._client.close_shift(self._url, token, private=self._private)

        try:
            closing = self._access.call(close)
        except ShiftNotOpened:  # another process was faster
            self.known.doubt()
            return False
        if closing is not None:
            self.known.see(closing)
        return closing is not None

    def _read(self) -> Shift | None:
        shift = self._access.call(
            lambda token: self._client.current_shift(self._url, token, private=self._private)
        )
        self._see(shift)
        return shift

    def _see(self, shift: Shift | None) -> None:
        self.known.see(shift)
        if shift is not None and shift.is_open:
            self._opening = self._rests_until = None
