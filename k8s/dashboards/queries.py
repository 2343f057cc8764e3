"""PromQL that several panels share.

Every worker shows the same figures of the broker, so ``max`` is taken of it, never ``sum``.
"""

from __future__ import annotations

JOB = '{job=~"$job"}'
#: Of what is counted by integration.
_CHOSEN = 'job=~"$job",integration=~"$integration"'
CHOSEN = f"{{{_CHOSEN}}}"
DEAD_LETTERS = 'max(fiscal_queue_messages{job=~"$job",queue="fiscalize.dead_letters"})'
SUCCEEDED = f'fiscal_requests_total{{{_CHOSEN},outcome=~"succeeded|already_fiscalized"}}'
FAILED = f'fiscal_requests_total{{{_CHOSEN},outcome="failed"}}'
#: Orders that were fiscalized (their code is empty), or were valid and could not be.
VALID = (
    f'fiscal_requests_total{{{_CHOSEN},outcome!="delayed",code=~"|CASHIER_CREDENTIALS_REJECTED|SHIFT_NOT_OPEN|'
    f'SHIFT_OPEN_OVER_24H|REGISTER_BUSY|RECEIPT_REJECTED|CHECKBOX_UNAVAILABLE|INTERNAL_ERROR"}}'
)
CALLS = f"fiscal_checkbox_requests_total{JOB}"
NO_ANSWER = 'fiscal_checkbox_requests_total{job=~"$job",status!~"[1234].."}'
OPENED = f"fiscal_shift_opened_timestamp_seconds{CHOSEN}"


def quantiles(metric: str, by: str = "", only: str = "") -> list[tuple[str, str]]:
    """Three quantiles of a histogram, over all of its series or by a label; ``only`` selects some."""
    labels = f"le, {by}" if by else "le"
    rate = f'sum by ({labels}) (rate({metric}_bucket{{job=~"$job"{only}}}[$__rate_interval]))'
    return [(f"histogram_quantile({q}, {rate})", f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]


def rate(metric: str, by: str, of: str = JOB) -> str:
    """Events a second by a label."""
    return f"sum by ({by}) (rate({metric}{of}[$__rate_interval]))"
