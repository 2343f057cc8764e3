"""The routes: path, handler, and the credentials that each requires."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from worker.sandbox import office_payloads, payloads, prepayment_payloads
from worker.sandbox.control import control_routes
from worker.sandbox.endpoints import cashier, prepayments, receipts, registers, reports, shifts
from worker.sandbox.endpoints.webhook import WebhookEndpoints
from worker.sandbox.exchange import PREFIX, Call, Endpoint, Needs
from worker.sandbox.replies import Reply
from worker.sandbox.state import State
from worker.sandbox.validation import Rule
from worker.sandbox.webhooks import Webhooks

_NOTHING, _BEARER, _LICENSE = Needs.NOTHING, Needs.BEARER, Needs.LICENSE
_BOTH = Needs.BEARER | Needs.LICENSE

_Handler = Callable[[Call], Reply]
#: Path, handler, credentials. The first matching path wins; the busiest come first.
_READS: tuple[tuple[str, _Handler, Needs], ...] = (
    ("/receipts/search", receipts.receipt_search, _BEARER),
    ("/receipts/{receipt_id}", receipts.receipt_get, _BEARER),
    ("/prepayment-receipts/{relation_id}", prepayments.relation_get, _BEARER),
    ("/cashier/shift", cashier.cashier_shift, _BEARER),
    ("/cashier/me", cashier.cashier_me, _BEARER),
    ("/cashier/check-signature", cashier.check_signature, _BEARER),
    ("/cashier/tax", cashier.cashier_tax, _BEARER),
    ("/organization/cashiers", cashier.organization_cashiers, _BEARER),
    ("/organization/billing-status", cashier.billing_status, _BOTH),
    ("/tax", cashier.tax, _LICENSE),
    ("/shifts", shifts.shift_list, _BEARER),
    ("/shifts/{shift_id}", shifts.shift_get, _BEARER),
    ("/shifts/short/{shift_id}", shifts.shift_get, _BEARER),
    ("/receipts", receipts.receipt_list, _BEARER),
    ("/receipts/{receipt_id}/html", receipts.receipt_html, _NOTHING),
    ("/receipts/{receipt_id}/pdf", receipts.receipt_pdf, _NOTHING),
    ("/receipts/{receipt_id}/text", receipts.receipt_text, _NOTHING),
    ("/receipts/{receipt_id}/png", receipts.receipt_png, _NOTHING),
    ("/receipts/{receipt_id}/qrcode", receipts.receipt_png, _NOTHING),
    ("/receipts/{receipt_id}/xml", receipts.receipt_xml, _NOTHING),
    ("/transactions", reports.transaction_list, _BEARER),
    ("/transactions/{transaction_id}", reports.transaction_get, _BEARER),
    ("/reports", reports.report_list, _BEARER),
    ("/reports/search", reports.report_search, _BEARER),
    ("/reports/periodical", reports.periodical, _LICENSE),
    ("/reports/{report_id}", reports.report_get, _BEARER),
    ("/reports/{report_id}/png", reports.report_png, _NOTHING),
    ("/reports/{report_id}/text", reports.report_text, _NOTHING),
    ("/cash-registers", registers.register_list, _BEARER),
    ("/cash-registers/info", registers.register_info, _LICENSE),
    ("/cash-registers/shifts", registers.register_shifts, _LICENSE),
    ("/cash-registers/ask-offline-codes", registers.ask_offline_codes, _BOTH),
    ("/cash-registers/get-offline-codes", registers.get_offline_codes, _BOTH),
    ("/cash-registers/get-offline-codes-count", registers.get_offline_codes_count, _BOTH),
    ("/cash-registers/get-offline-time", registers.get_offline_time, _LICENSE),
    ("/cash-registers/{cash_register_id}", registers.register_get, _BEARER),
)
#: Path, handler, credentials, rule for the body, and whether a body is required.
_WRITES: tuple[tuple[str, _Handler, Needs, Rule | None, bool], ...] = (
    ("/receipts/sell", receipts.sell, _BEARER, payloads.SELL, True),
    ("/prepayment-receipts", prepayments.open_chain, _BEARER, prepayment_payloads.PREPAYMENT, True),
    (
        "/prepayment-receipts/{relation_id}",
        prepayments.pay,
        _BEARER,
        prepayment_payloads.AFTERPAYMENT,
        True,
    ),
    (
        "/prepayment-receipts/{relation_id}/return",
        prepayments.give_back,
        _BEARER,
        prepayment_payloads.CHAIN_RETURN,
        False,
    ),
    ("/cashier/signin", cashier.sign_in, _NOTHING, office_payloads.SIGN_IN, True),
    ("/cashier/signinPinCode", cashier.sign_in_pin_code, _LICENSE, office_payloads.SIGN_IN_PIN_CODE, True),
    ("/cashier/signout", cashier.sign_out, _BEARER, None, False),
    ("/shifts", shifts.shift_open, _BOTH, office_payloads.OPEN_SHIFT, False),
    ("/shifts/close", shifts.shift_close, _BEARER, office_payloads.CLOSE_SHIFT, False),
    ("/shifts/{shift_id}/close", shifts.shift_close_by_senior, _BOTH, office_payloads.CLOSE_SHIFT, False),
    ("/receipts/validate", receipts.validate, _BEARER, payloads.SELL, True),
    ("/receipts/bulk-sell", receipts.bulk_sell, _BEARER, payloads.BULK_SELL, True),
    ("/receipts/sell-offline", receipts.sell_offline, _BEARER, payloads.SELL_OFFLINE, True),
    ("/receipts/add-external", receipts.add_external, _BEARER, payloads.ADD_EXTERNAL, True),
    ("/receipts/service-currency", receipts.service_currency, _BEARER, payloads.SERVICE_CURRENCY, True),
    ("/receipts/service", receipts.service, _BEARER, payloads.SERVICE, True),
    ("/receipts/{receipt_id}/email", receipts.receipt_delivery, _BEARER, office_payloads.EMAILS, True),
    ("/receipts/{receipt_id}/sms", receipts.receipt_delivery, _BEARER, office_payloads.PHONE, True),
    ("/reports", reports.report_create, _BEARER, None, False),
    ("/cash-registers/ping-tax-service", registers.ping_tax_service, _BOTH, None, False),
    ("/cash-registers/go-offline", registers.go_offline, _BOTH, office_payloads.GO_OFFLINE, False),
    ("/cash-registers/go-online", registers.go_online, _BOTH, None, False),
)


def application(state: State, seed: Callable[[State], None]) -> Starlette:
    """The sandbox. ``seed`` creates the cashiers, now and after each reset."""
    seed(state)
    routes: list[BaseRoute] = [
        Route(
            PREFIX + path,
            Endpoint(state, f"POST {path}", handler, needs, rule, required),
            methods=["POST"],
        )
        for path, handler, needs, rule, required in _WRITES
    ]
    routes += [
        Route(PREFIX + path, Endpoint(state, f"GET {path}", handler, needs), methods=["GET"])
        for path, handler, needs in _READS
    ]
    hooks = WebhookEndpoints(Webhooks(state))
    table: tuple[tuple[str, _Handler, Rule | None], ...] = (
        ("GET", hooks.get, None),
        ("POST", hooks.set, office_payloads.SET_WEBHOOK),
        ("DELETE", hooks.delete, None),
    )
    for method, handler, rule in table:
        endpoint = Endpoint(state, f"{method} /webhook", handler, _BOTH, rule)
        routes.append(Route(f"{PREFIX}/webhook", endpoint, methods=[method]))
    routes.append(Route("/status", Endpoint(state, "GET /status", cashier.status, _NOTHING), methods=["GET"]))
    routes += control_routes(state, seed)
    return Starlette(routes=routes, exception_handlers={HTTPException: _framework_error})


async def _framework_error(request: Request, error: Exception) -> JSONResponse:
    """ASSUMED A6: an unknown path is answered the way FastAPI does."""
    del request
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"detail": error.detail}, status_code=error.status_code)
