"""The client and the sandbox: the ordinary day, and each way in which Checkbox is only assumed to behave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from tests.checkbox.receipts import BY_PASSWORD, CARD_SALE, CONTEXT, LINE, SALE
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier, CashRounding
from worker.fiscal.order import Operation, PaymentForm
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Unavailable
from worker.fiscal.ports import CashierHasShift, ReceiptExists, ShiftExpired, ShiftNotOpened, TokenRefused
from worker.fiscal.receipt import Receipt, ReceiptPayment

DAY = 86400.0


class Desk:
    """A cashier at the sandbox, signed in, and the client that he works through."""

    def __init__(self, sandbox: SandboxProcess, client: CheckboxClient, login: str, key: str) -> None:
        self.sandbox, self.client, self.login, self.key = sandbox, client, login, SecretStr(key)
        sandbox.put_cashier(login, password=f"secret-{login}", pin_code="4711", license_key=key)
        self.token = client.sign_in(sandbox.url, self.cashier())

    def cashier(self, password: str | None = None) -> Cashier:
        secret = SecretStr(password or f"secret-{self.login}")
        return replace(BY_PASSWORD, login=self.login, password=secret)

    def sell(self, receipt: Receipt, receipt_id: UUID | None = None) -> IssuedReceipt:
        return self.client.sell(self.sandbox.url, self.token, receipt_id or uuid4(), receipt, CONTEXT)

    def done(self, receipt: Receipt) -> IssuedReceipt:
        """Sold, and looked up after the tax service had its time."""
        issued = self.sell(receipt)
        self.sandbox.advance(10)
        found = self.client.receipt(self.sandbox.url, self.token, UUID(issued.id))
        assert found is not None
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1, options={"throttle": False}) as process:
        yield process


@pytest.fixture
def client() -> Iterator[CheckboxClient]:
    with CheckboxClient() as client:
        yield client


@pytest.fixture
def desk(running: SandboxProcess, client: CheckboxClient) -> Desk:
    running.reset()
    return Desk(running, client, "olena", "test-olena")


@pytest.fixture
def open_desk(desk: Desk) -> Desk:
    desk.sandbox.open_shift("olena")
    return desk


def test_a_sale_gets_its_number(open_desk: Desk) -> None:
    """Posted it has none; seconds later the look-up finds number, link, register, lines and context."""
    receipt = replace(
        CARD_SALE, lines=(LINE, replace(LINE, code="2", quantity=375, price=24000, tax_codes=(2,)))
    )
    receipt = replace(receipt, total=24000, payments=(replace(receipt.payments[0], value=24000),))
    posted = open_desk.sell(receipt)
    assert (posted.status, posted.fiscal_code, posted.is_numbered) == ("CREATED", None, False)
    open_desk.sandbox.advance(10)
    issued = open_desk.client.receipt(open_desk.sandbox.url, open_desk.token, UUID(posted.id))
    assert issued is not None
    assert (issued.status, issued.is_numbered, issued.total) == ("DONE", True, 24000)
    taxes = [[(tax.code, tax.percent) for tax in line.taxes or ()] for line in issued.lines]
    assert [(line.code, line.quantity, line.price, line.total) for line in issued.lines] == [
        ("SKU-1", 1000, 15000, 15000),
        ("2", 375, 24000, 9000),
    ]
    assert taxes == [[(1, 20)], [(2, 7)]]
    assert issued.context == CONTEXT
    assert issued.seconds_to_number == pytest.approx(2.0, abs=0.1)
    assert issued.register_number
    assert issued.tax_url


@pytest.mark.parametrize("count", [5_000, 16_000])
def test_an_order_of_thousands_of_lines_is_sold_and_read_back(open_desk: Desk, count: int) -> None:
    """As many as a message of 1 MiB can hold: by id and in a page of the search."""
    lines = tuple(replace(LINE, code=str(number), price=100) for number in range(count))
    total = 100 * count
    payment = replace(SALE.payments[0], value=total)
    sale = replace(SALE, lines=lines, total=total, payments=(payment,))
    issued = open_desk.done(sale)
    assert (issued.is_numbered, issued.total, len(issued.lines)) == (True, total, count)
    found = open_desk.client.search_receipts(open_desk.sandbox.url, open_desk.token, limit=1)
    assert (found[0].receipt.id, found[0].receipt.lines) == (issued.id, issued.lines)


def test_the_same_id_is_never_sold_twice(open_desk: Desk) -> None:
    """Checkbox's own word for it is told apart from every other refusal."""
    receipt_id = uuid4()
    open_desk.sell(SALE, receipt_id)
    with pytest.raises(ReceiptExists):
        open_desk.sell(SALE, receipt_id)


def test_an_unknown_receipt_is_surely_none(open_desk: Desk) -> None:
    """The look-up of an id that was never sold finds nothing, for sure."""
    assert open_desk.client.receipt(open_desk.sandbox.url, open_desk.token, uuid4()) is None


def test_a_return_is_found_among_the_receipts_since_its_sale(open_desk: Desk) -> None:
    """The long form of the search shows which receipts were returns of the sale."""
    open_desk.sandbox.set_options(search_form="full")
    sale = open_desk.done(SALE)
    back = replace(SALE, operation=Operation.RETURN, related_receipt_id=UUID(sale.id))
    issued = open_desk.done(back)
    assert (issued.is_return, issued.related_receipt_id) == (True, sale.id)
    found = open_desk.client.search_receipts(
        open_desk.sandbox.url, open_desk.token, from_date=sale.created_at
    )
    assert [one.receipt.id for one in found if one.receipt.related_receipt_id == sale.id] == [issued.id]


def test_a_return_of_more_cash_than_there_is_says_so(open_desk: Desk) -> None:
    """A person is told that the till is short, and not only that the receipt was refused."""
    sale = open_desk.done(SALE)
    open_desk.sandbox.set_till("olena", 100)
    with pytest.raises(Rejected) as caught:
        open_desk.sell(replace(SALE, operation=Operation.RETURN, related_receipt_id=UUID(sale.id)))
    assert caught.value.code is Code.RECEIPT_REJECTED
    assert caught.value.detail["reason"] == "cash_shortage"


def test_an_error_of_the_tax_service_is_read_with_its_words(open_desk: Desk) -> None:
    """The receipt ends in ERROR, has no number, and says why."""
    open_desk.sandbox.fault("error_receipt", words="Документ не прийнято: 0671234567")
    issued = open_desk.done(SALE)
    assert (issued.status, issued.is_numbered) == ("ERROR", False)
    assert issued.error == "Документ не прийнято: ***"


def test_an_offline_receipt_counts_at_once(open_desk: Desk) -> None:
    """Where the tax service is silent, Checkbox gives a number of its own stock right away."""
    open_desk.sandbox.fault("offline")
    issued = open_desk.sell(SALE)
    assert (issued.offline, issued.is_numbered, issued.seconds_to_number) == (True, True, None)


@pytest.mark.parametrize("names", ["old_names", "no_context"])
def test_answers_of_another_make_are_read(open_desk: Desk, names: str) -> None:
    """The names of 2020, or no context, change nothing else."""
    open_desk.sandbox.fault(names)
    issued = open_desk.done(SALE)
    assert (issued.total, issued.is_numbered) == (15000, True)
    assert issued.context == ({} if names == "no_context" else CONTEXT)


@pytest.mark.parametrize("line_sum", ["before_discounts", "after_discounts"])
@pytest.mark.parametrize("discount_sum", ["negative", "positive"])
@pytest.mark.parametrize("is_rounded", [False, True])
def test_totals_are_found_whatever_checkbox_means_by_its_sums(
    open_desk: Desk, line_sum: str, discount_sum: str, is_rounded: bool
) -> None:
    """Total before rounding and lines after discounts come out the same under every assumption."""
    open_desk.sandbox.set_options(
        line_sum=line_sum, discount_sum=discount_sum, total_sum_is_rounded=is_rounded
    )
    receipt = replace(
        SALE,
        lines=(replace(LINE, discount=124), replace(LINE, code="2", quantity=2000, surcharge=1)),
        discount=250,
        total=44627,
        rounding=CashRounding.ROUND_50,
        payments=(ReceiptPayment(PaymentForm.CASH, 44650, "Готівка", None),),
    )
    issued = open_desk.done(receipt)
    assert issued.total == 44627
    assert [line.total for line in issued.lines] == [14876, 30001]


@pytest.mark.parametrize(("status", "code"), [(400, None), (409, "shift.expired"), (422, "shift.not_opened")])
def test_a_shift_of_more_than_a_day_is_known_by_its_words(desk: Desk, status: int, code: str | None) -> None:
    """Whatever status and code Checkbox gives the 24-hour refusal."""
    desk.sandbox.set_options(
        over_24h_status=status, over_24h_code=code, force_close_at_24h=False, token_lifetime=None
    )
    desk.sandbox.open_shift("olena")
    desk.sandbox.advance(DAY + 60)
    with pytest.raises(ShiftExpired):
        desk.sell(SALE)


def test_without_a_shift_nothing_is_sold(desk: Desk) -> None:
    """The shift is surely none, and the sale is refused for that reason."""
    assert desk.client.current_shift(desk.sandbox.url, desk.token) is None
    with pytest.raises(ShiftNotOpened):
        desk.sell(SALE)
    with pytest.raises(ShiftNotOpened):
        desk.client.close_shift(desk.sandbox.url, desk.token)


@pytest.mark.parametrize("status", [400, 409])
def test_a_shift_is_opened_polled_and_closed(desk: Desk, status: int) -> None:
    """Opening and closing are accepted first and true later; a second opening finds the first."""
    url, token, client = desk.sandbox.url, desk.token, desk.client
    desk.sandbox.set_options(busy_status=status, own_shift="named")
    shift_id = uuid4()
    assert client.open_shift(url, token, desk.key, shift_id).id == str(shift_id)
    with pytest.raises(CashierHasShift):
        client.open_shift(url, token, desk.key, uuid4())
    desk.sandbox.advance(10)
    opened = client.shift(url, token, shift_id)
    assert (opened.is_open, opened.opened_at is None, opened.refusal) == (True, False, None)
    client.close_shift(url, token)
    desk.sandbox.advance(10)
    closed = client.shift(url, token, shift_id)
    assert (closed.status, closed.refusal) == ("CLOSED", None)


def test_a_refused_opening_ends_closed_with_the_reason(desk: Desk) -> None:
    """An opening that the tax service refuses is accepted first, and found CLOSED with the reason."""
    desk.sandbox.fault("refuse_shift", words="Ключ не діє")
    shift_id = uuid4()
    desk.client.open_shift(desk.sandbox.url, desk.token, desk.key, shift_id)
    desk.sandbox.advance(10)
    shift = desk.client.shift(desk.sandbox.url, desk.token, shift_id)
    assert (shift.status, shift.refusal) == ("CLOSED", "Ключ не діє")


def test_a_register_with_another_cashier_s_shift_is_busy(open_desk: Desk) -> None:
    """Only a person can clear that up, so it is an end of its own."""
    other = Desk(open_desk.sandbox, open_desk.client, "petro", "test-olena")
    with pytest.raises(Rejected) as caught:
        other.client.open_shift(other.sandbox.url, other.token, other.key, uuid4())
    assert caught.value.code is Code.REGISTER_BUSY


def test_wrong_credentials_and_dead_tokens_are_told_apart(desk: Desk) -> None:
    """A wrong password, PIN or key ends it; a token that counts no longer asks for a new sign-in."""
    url, client = desk.sandbox.url, desk.client
    by_pin = replace(BY_PASSWORD, login=None, password=None, pin_code=SecretStr("4711"), license_key=desk.key)
    assert client.sign_in(url, by_pin)
    wrong = [
        desk.cashier("wrong"),
        replace(by_pin, pin_code=SecretStr("0000")),
        replace(by_pin, license_key=SecretStr("test-nobody")),
    ]
    for cashier in wrong:
        with pytest.raises(Rejected) as caught:
            client.sign_in(url, cashier)
        assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
    client.sign_out(url, desk.token)
    with pytest.raises(TokenRefused):
        client.current_shift(url, desk.token)


def test_cashier_register_taxes_and_signature_are_told(open_desk: Desk) -> None:
    """What the doctor asks for."""
    url, token, client = open_desk.sandbox.url, open_desk.token, open_desk.client
    assert client.register_info(url, open_desk.key).has_shift
    assert client.cashier_me(url, token).full_name
    assert {1, 2, 3, 8} <= {tax.code for tax in client.taxes(url, token)}
    assert client.check_signature(url, token).can_open_shift


FAULTS: dict[str, Callable[[SandboxProcess], None]] = {
    "drop_after_commit": lambda sandbox: sandbox.fault("drop_after_commit", count=1),
    "null_body": lambda sandbox: sandbox.fault("null_body", count=1),
    "truncated_json": lambda sandbox: sandbox.fault("truncated_json", count=1),
    "error_500": lambda sandbox: sandbox.fault("error_500", count=1),
    "html_200": lambda sandbox: sandbox.fault("html_200", count=1),
    "html_503": lambda sandbox: sandbox.fault("html_503", count=1),
    "rate_limited": lambda sandbox: sandbox.fault("rate_limited", count=1, retry_after="3"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_doubt_the_same_id_gives_one_receipt(open_desk: Desk, name: str) -> None:
    """Whether or not the receipt was made behind the fault, the second try ends with exactly one."""
    receipt_id = uuid4()
    FAULTS[name](open_desk.sandbox)
    with pytest.raises(Unavailable) as caught:
        open_desk.sell(SALE, receipt_id)
    assert caught.value.retry_after == (3.0 if name == "rate_limited" else None)
    found = open_desk.client.receipt(open_desk.sandbox.url, open_desk.token, receipt_id)
    if found is None:
        open_desk.sell(SALE, receipt_id)
    assert len(open_desk.sandbox.receipts_of(str(receipt_id))) == 1
