"""The catalogue: every metric of the worker, its labels and its meaning.

The process that starts the others sets ``PROMETHEUS_MULTIPROC_DIR`` before this module is imported.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "fiscal_requests_total",
    "Requests of Bimp by what came of them; delayed ones are counted again when they end.",
    ["outcome", "code", "integration"],
)
REQUEST_DURATION = Histogram(
    "fiscal_request_duration_seconds",
    "From the request's time to its event.",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200, 43200, 86400),
)
IN_FLIGHT = Gauge("fiscal_in_flight", "Requests in a worker thread now.", multiprocess_mode="livesum")
RECEIPTS_AMOUNT = Counter(
    "fiscal_receipts_amount_kopecks_total", "Money on the receipts made.", ["integration", "operation"]
)
CHECKBOX_REQUESTS = Counter(
    "fiscal_checkbox_requests_total",
    "Calls to Checkbox; status is the HTTP status, or the kind of fault when there was no answer.",
    ["endpoint", "status"],
)
CHECKBOX_REQUEST_DURATION = Histogram(
    "fiscal_checkbox_request_duration_seconds",
    "Length of the calls to Checkbox.",
    ["endpoint"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
DUPLICATES_PREVENTED = Counter(
    "fiscal_duplicates_prevented_total",
    "Look-ups and already_exists answers that found a receipt, so that no second one was made.",
)
SIGNINS = Counter("fiscal_signins_total", "Sign-ins of cashiers at Checkbox.", ["result"])
SHIFT_OPENED = Gauge(
    "fiscal_shift_opened_timestamp_seconds",
    "When the cashier's shift was opened; absent while none is known.",
    ["integration", "cashier"],
    multiprocess_mode="mostrecent",
)
DEAD_LETTERS = Counter("fiscal_dead_letters_total", "Messages put into the dead letters.", ["code"])
REPLAYED = Counter("fiscal_replayed_total", "Replayed dead letters that arrived.", ["code"])
UNKNOWN_ANSWERS = Counter(
    "fiscal_unknown_answers_total",
    "Answers of Checkbox that the failure table does not know, taken as a definite no.",
    ["status"],
)
WARNINGS = Counter(
    "fiscal_warnings_total",
    "Things on a request that were put right without a failure: a malformed buyer, an unknown label.",
    ["kind"],
)
INTEGRATIONS_BROKEN = Gauge(
    "fiscal_integrations_file_broken",
    "1 while the integrations file cannot be used and an older one is in force.",
    multiprocess_mode="livemax",
)
