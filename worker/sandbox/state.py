"""The sandbox's state: parties, documents and tokens, kept in memory until the process ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable
from uuid import uuid4

from worker.sandbox.chain import Chain
from worker.sandbox.clock import Clock
from worker.sandbox.entities import Tax, stable_id
from worker.sandbox.faults import FaultBook
from worker.sandbox.ledger import Cashier, Organization, Receipt, Register, Report, Shift
from worker.sandbox.options import Options
from worker.sandbox.refusals import bad_token, wrong_license_key, wrong_password, wrong_pin_code
from worker.sandbox.transactions import Transaction

#: An eleventh sign-in kills the oldest token (checkbox-sdk, "getting started").
_LIVE_TOKENS = 10
_FISCAL_CODE_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class State:
    """State shared by the endpoints; single-threaded."""

    def __init__(self, clock: Clock, options: Options, seed: int | None = None) -> None:
        self.clock = clock
        self._options_at_start = options
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self._seed = seed
        self._token_key = secrets.token_bytes(32)
        self.forget()

    def forget(self) -> None:
        """Clear everything except the clock."""
        self.options = self._options_at_start
        self.faults = FaultBook(self._seed)
        self.organizations: dict[str, Organization] = {}
        self.registers: dict[str, Register] = {}
        self.registers_by_id: dict[str, Register] = {}
        self.cashiers: dict[str, Cashier] = {}
        self.tokens: dict[str, tuple[Cashier, float]] = {}
        self.shifts: dict[str, Shift] = {}
        #: By id. ASSUMED: an id is unique over all organizations.
        self.receipts: dict[str, Receipt] = {}
        self.fiscal_codes: dict[str, Receipt] = {}
        #: By organization and relation id; a returned one keeps its id.
        self.chains: dict[tuple[str, str], Chain] = {}
        self.transactions: dict[str, Transaction] = {}
        self.reports: dict[str, Report] = {}
        #: Requests by endpoint and status; other counts by name.
        self.requests: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.sign_ins: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.duplicates_refused = 0

    def add_organization(self, title: str, taxes: list[Tax]) -> Organization:
        """Get or create the organization with this title; add taxes that it lacks."""
        organization = self.organizations.get(title)
        if organization is None:
            organization = Organization(id=stable_id("organization", title), title=title, taxes={})
            self.organizations[title] = organization
        for tax in taxes:
            organization.taxes.setdefault(tax.code, tax)
        return organization

    def add_register(self, license_key: str, organization: Organization) -> Register:
        """Get or create the register with this licence key; a known one keeps its organization."""
        known = self.registers.get(license_key)
        if known is not None:
            return known
        number = len(self.registers) + 1
        register = Register(
            id=stable_id("register", license_key),
            license_key=license_key,
            number=number,
            fiscal_number=f"TEST{100_000 + number}",
            organization=organization,
            created_at=self.clock.now(),
        )
        self.registers[license_key] = register
        self.registers_by_id[register.id] = register
        return register

    def add_cashier(
        self, login: str, register: Register, *, password: str | None = None, pin_code: str | None = None
    ) -> Cashier:
        """Get or create the cashier; a known one gets the new credentials and keeps tokens and shift."""
        cashier = self.cashiers.get(login)
        if cashier is None:
            cashier = Cashier(
                id=stable_id("cashier", login),
                login=login,
                full_name=f"Касир {login}",
                organization=register.organization,
                register=register,
                created_at=self.clock.now(),
            )
            self.cashiers[login] = cashier
        cashier.password = password if password is not None else cashier.password
        cashier.pin_code = pin_code if pin_code is not None else cashier.pin_code
        return cashier

    def sign_in(self, login: str, password: str) -> str:
        """A new token; raises ``Refusal``."""
        cashier = self.cashiers.get(login)
        if cashier is None or cashier.password is None or cashier.password != password:
            raise wrong_password()
        return self._new_token(cashier)

    def sign_in_by_pin_code(self, register: Register, pin_code: str) -> str:
        """A PIN is valid within the register's organization; raises ``Refusal``."""
        for cashier in self.cashiers.values():
            if cashier.pin_code == pin_code and cashier.organization is register.organization:
                return self._new_token(cashier)
        raise wrong_pin_code()

    def revoke(self, token: str) -> None:
        """The token is no longer valid."""
        entry = self.tokens.pop(token, None)
        if entry is not None:
            entry[0].tokens.remove(token)

    def cashier_of(self, token: str) -> Cashier:
        """Raises ``Refusal``. ASSUMED A11: a token expires only if the options say so."""
        entry = self.tokens.get(token)
        if entry is None:
            raise bad_token()
        cashier, issued_at = entry
        lifetime = self.options.token_lifetime
        if lifetime is not None and self.clock.now() - issued_at > lifetime:
            self.revoke(token)
            raise bad_token()
        return cashier

    def register_of(self, license_key: str) -> Register:
        """Raises ``Refusal``."""
        register = self.registers.get(license_key)
        if register is None:
            raise wrong_license_key()
        return register

    def lose(self, receipt: Receipt) -> None:
        """No call shows it any more, and its id is free."""
        register = receipt.shift.register
        del self.receipts[receipt.id]
        for book in (receipt.shift.receipts, register.receipts, register.organization.receipts):
            book.remove(receipt)
        for code in [code for code, known in self.fiscal_codes.items() if known is receipt]:
            del self.fiscal_codes[code]

    def new_fiscal_code(self, receipt_id: str, register: Register) -> str:
        """Derived from the receipt's id, so stable across runs, unless the code is taken."""
        return self.new_code(receipt_id, lambda code: code in self.fiscal_codes, is_test=register.is_test)

    def new_code(self, name: str, is_taken: Callable[[str], bool], *, is_test: bool = True) -> str:
        """Eleven characters; on a test register the first five are ``TEST-``."""
        prefix = "TEST-" if is_test else ""
        for attempt in range(1000):
            digest = hashlib.blake2b(f"{name}/{attempt}".encode(), digest_size=12).digest()
            number = int.from_bytes(digest, "big")
            letters = []
            for _ in range(11 - len(prefix)):
                number, index = divmod(number, len(_FISCAL_CODE_ALPHABET))
                letters.append(_FISCAL_CODE_ALPHABET[index])
            code = prefix + "".join(letters)
            if not is_taken(code):
                return code
        raise RuntimeError("no free fiscal code")

    def new_transaction(
        self, kind: str, register: Register, *, done_at: float, shift: Shift | None = None
    ) -> Transaction:
        """The register's next document, chained to the previous one by its hash."""
        register.transaction_serial += 1
        serial = register.transaction_serial
        if self.options.serials == "shift" and shift is not None:
            # ASSUMED A8: as seen in 2020, SHIFT_OPEN is 0.
            serial = shift.transactions
            shift.transactions += 1
        transaction = Transaction(
            id=str(uuid4()),
            type=kind,
            serial=serial,
            created_at=min(self.clock.now(), done_at),
            done_at=done_at,
            previous_hash=register.last_hash,
            cashier_id=shift.cashier.id if shift is not None else None,
        )
        register.last_hash = hashlib.sha256((register.last_hash + transaction.id).encode()).hexdigest()
        self.transactions[transaction.id] = transaction
        return transaction

    def _new_token(self, cashier: Cashier) -> str:
        now = self.clock.now()
        payload = {
            "token_type": "cashier",
            "jti": str(uuid4()),
            "sub": cashier.id,
            "nbf": int(now),
            "iat": int(now),
        }
        token = _jwt(payload, self._token_key)
        self.tokens[token] = (cashier, now)
        cashier.tokens.append(token)
        if len(cashier.tokens) > _LIVE_TOKENS:
            self.revoke(cashier.tokens[0])
        self.sign_ins[cashier.login] += 1
        return token


def _jwt(payload: dict[str, object], key: bytes) -> str:
    parts = [
        _base64url(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"alg": "HS256", "typ": "JWT"}, payload)
    ]
    signed = b".".join(parts)
    return b".".join([signed, _base64url(hmac.digest(key, signed, "sha256"))]).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
