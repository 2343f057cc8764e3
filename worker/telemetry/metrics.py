"""Every metric of the worker."""

from __future__ import annotations

from collections.abc import Iterable

from worker.fiscal.outcomes import NOT_DEAD_LETTERED, Code
from worker.telemetry.catalogue import counter, gauge, histogram, seen

#: Values of the ``result`` label of sign-ins.
SIGNED_IN, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE = "ok", "refused", "unavailable"
#: Codes that end a request before its integration is known to be in the configuration.
_BEFORE_CONFIGURATION = (Code.INVALID_MESSAGE, Code.UNKNOWN_INTEGRATION)
#: Statuses of Checkbox's refusals.
_REFUSALS = ("400", "401", "403", "404", "409", "422")

REQUESTS = counter(
    "fiscal_requests_total",
    "Requests of Bimp by what came of them; delayed ones are counted again when they end.",
    ["outcome", "code", "integration"],
)
REQUEST_DURATION = histogram(
    "fiscal_request_duration_seconds",
    "From the request's time to its event.",
    (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200, 43200, 86400),
    ["outcome"],
)
REQUEST_WAIT = histogram(
    "fiscal_request_wait_seconds",
    "From the request's time to the first look of a worker at it.",
    (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 7200, 43200, 86400),
)
FOREIGN_REQUESTS = counter(
    "fiscal_foreign_requests_total",
    "Requests of another company than the integration's, each once, whatever else is wrong with it.",
    ["integration"],
)
UNSETTLED = counter(
    "fiscal_unsettled_total",
    "Outcomes that the broker did not confirm: the event waits in the outbox, or the message comes back.",
)
POSTPONED = counter(
    "fiscal_postponed_total",
    "Waits that are not faults: for a number, the rate limiter, a thread, a shift or a sale.",
    ["reason"],
)
RETRIES = counter("fiscal_retries_total", "Passes that ended in a fault and are tried again.")
UNKNOWN_OUTCOMES = counter(
    "fiscal_unknown_outcomes_total",
    "Receipts that Checkbox was asked for and gave no readable answer to; a look-up settles each.",
)
RECEIPTS_AMOUNT = counter(
    "fiscal_receipts_amount_kopecks_total",
    "Money on the receipts made.",
    ["integration", "operation"],
    unit="kopiykas",
)
LAST_SUCCESS = gauge(
    "fiscal_last_success_timestamp_seconds",
    "When a request last ended in a receipt with a number.",
    "max",
    unit="seconds since 1970",
)
CHECKBOX_REQUESTS = counter(
    "fiscal_checkbox_requests_total",
    "Calls to Checkbox; status is the HTTP status, or the kind of fault when there was no answer.",
    ["endpoint", "status"],
)
CHECKBOX_REQUEST_DURATION = histogram(
    "fiscal_checkbox_request_duration_seconds",
    "Length of the calls to Checkbox.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
    ["endpoint"],
)
UNKNOWN_ANSWERS = counter(
    "fiscal_unknown_answers_total",
    "Answers of Checkbox that the failure table does not know, taken as a definite no.",
    ["status"],
)
DUPLICATES_PREVENTED = counter(
    "fiscal_duplicates_prevented_total",
    "Look-ups and already_exists answers that found a receipt, so that no second one was made.",
)
SIGNINS = counter("fiscal_signins_total", "Sign-ins of cashiers at Checkbox.", ["result"])
SHIFT_OPENED = gauge(
    "fiscal_shift_opened_timestamp_seconds",
    "When the cashier's shift was opened; absent while none is known.",
    "latest",
    ["integration", "cashier"],
    unit="seconds since 1970",
)
SHIFT_HELD_BACK = gauge(
    "fiscal_unfinished_receipt_timestamp_seconds",
    "When the oldest receipt without a number was made that holds back a shift's end; absent without one.",
    "latest",
    ["integration", "cashier"],
    unit="seconds since 1970",
)
JOURNAL_LAG = gauge(
    "fiscal_journal_lag_messages",
    "Messages that wait for the journal; absent where there is no journal's queue.",
    "elected",
)
RECONCILIATION_DIFFERENCES = gauge(
    "fiscal_reconciliation_differences",
    "Differences between the journal and Checkbox, of the newest reconciliation of each shift that was closed"
    " in the last 48 hours.",
    "elected",
    ["integration", "kind"],
)
DEAD_LETTERS = counter("fiscal_dead_letters_total", "Messages put into the dead letters.", ["code"])
REPLAYED = counter("fiscal_replayed_total", "Replayed dead letters at their first arrival.", ["code"])
WARNINGS = counter(
    "fiscal_warnings_total",
    "Put right on a request without a failure: a malformed buyer, an unknown label, a card number.",
    ["kind"],
)
INTEGRATIONS_BROKEN = gauge(
    "fiscal_integrations_file_broken",
    "1 while integrations cannot be read or fetched and an older version is in force, else 0.",
    "max",
)
LOG_LINES_DROPPED = counter(
    "fiscal_log_lines_dropped_total",
    "Log lines that could not be written: the reader is slow or gone, or the disk is full.",
)
PROCESS_RESTARTS = counter(
    "fiscal_process_restarts_total", "Processes of the worker that died and were started again."
)

INTEGRATION_FINDINGS = gauge(
    "fiscal_integration_findings",
    "Findings of the integration's last check; from the elected process alone, like the next four.",
    "latest",
    ["integration", "severity"],
)
KEY_END = gauge(
    "fiscal_key_end_timestamp_seconds",
    "When the cashier's key ends; absent where Checkbox does not say.",
    "latest",
    ["integration", "cashier"],
    unit="seconds since 1970",
)
SUBSCRIPTION_END = gauge(
    "fiscal_subscription_end_timestamp_seconds",
    "When Checkbox's subscription ends or a debt stops its service, whichever is earlier.",
    "latest",
    ["integration"],
    unit="seconds since 1970",
)
REGISTER_OFFLINE = gauge(
    "fiscal_register_offline_seconds",
    "How long the register has worked without the tax service, in this session and this month.",
    "latest",
    ["integration", "cashier", "window"],
    unit="seconds",
)
REGISTER_OFFLINE_CODES = gauge(
    "fiscal_register_offline_codes",
    "Codes that the register has left for work without the tax service.",
    "latest",
    ["integration", "cashier"],
)

QUEUE_MESSAGES = seen(
    "fiscal_queue_messages",
    "Ready messages, as the broker counts them; absent while it is unknown.",
    ["queue"],
)
QUEUE_CONSUMERS = seen(
    "fiscal_queue_consumers",
    "Consumers of a queue over the whole fleet; absent while it is unknown.",
    ["queue"],
)
EVENTS_UNREAD = seen(
    "fiscal_events_unread",
    "Ready messages of bimp.fiscal.events, which Bimp has not taken; absent while it is unknown.",
)
EVENTS_CONSUMERS = seen(
    "fiscal_events_consumers",
    "Consumers of bimp.fiscal.events: 0 when Bimp does not listen; absent while it is unknown.",
)
BROKER_UP = seen("fiscal_broker_up", "1 while the monitor is connected to the broker, else 0.")
CONSUMING = seen("fiscal_consuming", "0 when the worker stopped itself, else 1.")
PROCESSES = seen("fiscal_processes", "Worker processes that the settings ask for.")
PROCESSES_CONSUMING = seen("fiscal_processes_consuming", "Worker processes that consume every queue.")
HEARTBEAT = seen(
    "fiscal_heartbeat_timestamp_seconds",
    "When a worker process last showed that its threads are alive and none is stuck; absent before that.",
    ["process"],
    unit="seconds since 1970",
)
IN_FLIGHT = seen("fiscal_in_flight", "Requests in a worker thread, as of a second ago at most.")
WAITING = seen(
    "fiscal_waiting_requests",
    "Requests that the worker processes hold, unacknowledged, until they are due.",
    ["queue"],
)
OLDEST_WAITING = seen(
    "fiscal_oldest_waiting_timestamp_seconds",
    "When the oldest of the held requests was first seen (a replay counts anew); absent when none is held.",
    unit="seconds since 1970",
)
UNKNOWN_WAITING = seen(
    "fiscal_unknown_outcomes_waiting",
    "Held requests for which Checkbox may have made a receipt that no look-up has shown yet.",
)
OLDEST_UNKNOWN = seen(
    "fiscal_oldest_unknown_outcome_timestamp_seconds",
    "Since when the longest of the unknown outcomes has been unknown; absent when there is none.",
    unit="seconds since 1970",
)
BUILD_INFO = seen("fiscal_build_info", "Always 1; the labels say what runs.", ["version", "python_version"])


def start_at_zero(integrations: Iterable[str]) -> None:
    """Show counters before their first event, so that a rate sees that one too."""
    for code in Code:
        REPLAYED.labels(code.value)
        if code not in NOT_DEAD_LETTERED:
            DEAD_LETTERS.labels(code.value)
    for result in (SIGNED_IN, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE):
        SIGNINS.labels(result)
    for status in _REFUSALS:
        UNKNOWN_ANSWERS.labels(status)
    for code in _BEFORE_CONFIGURATION:
        REQUESTS.labels("failed", code.value, "unknown")
    for integration in integrations:
        FOREIGN_REQUESTS.labels(integration)
        REQUESTS.labels("succeeded", "", integration)
        REQUESTS.labels("delayed", Code.CHECKBOX_UNAVAILABLE.value, integration)
        for code in Code:
            if code is not Code.UNKNOWN_INTEGRATION:
                REQUESTS.labels("failed", code.value, integration)
