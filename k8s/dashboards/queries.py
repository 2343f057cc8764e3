"""PromQL that several panels share.

Every worker shows the same figures of the broker, so ``max`` is taken of it, never ``sum``.
"""

from __future__ import annotations

JOB = '{job=~"$job"}'
DEAD_LETTERS = 'max(fiscal_queue_messages{job=~"$job",queue="fiscalize.dead_letters"})'
SUCCEEDED = 'fiscal_requests_total{job=~"$job",outcome=~"succeeded|already_fiscalized"}'
FAILED = 'fiscal_requests_total{job=~"$job",outcome="failed"}'
#: Orders that were fiscalized (their code is empty), or were valid and could not be.
VALID = (
    'fiscal_requests_total{job=~"$job",outcome!="delayed",code=~"|CASHIER_CREDENTIALS_REJECTED|SHIFT_NOT_OPEN|'
    'SHIFT_OPEN_OVER_24H|REGISTER_BUSY|RECEIPT_REJECTED|CHECKBOX_UNAVAILABLE|INTERNAL_ERROR"}'
)
CALLS = f"fiscal_checkbox_requests_total{JOB}"
NO_ANSWER = 'fiscal_checkbox_requests_total{job=~"$job",status!~"[1234].."}'
OPENED = f"fiscal_shift_opened_timestamp_seconds{JOB}"


def quantiles(metric: str, by: str = "", only: str = "") -> list[tuple[str, str]]:
    """Three quantiles of a histogram, over all of its series or by a label; ``only`` selects some."""
    labels = f"le, {by}" if by else "le"
    rate = f'sum by ({labels}) (rate({metric}_bucket{{job=~"$job"{only}}}[$__rate_interval]))'
    return [(f"histogram_quantile({q}, {rate})", f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]


def rate(metric: str, by: str, **only: str) -> str:
    """Events a second by a label."""
    selected = "".join(f',{label}="{value}"' for label, value in only.items())
    return f'sum by ({by}) (rate({metric}{{job=~"$job"{selected}}}[$__rate_interval]))'
