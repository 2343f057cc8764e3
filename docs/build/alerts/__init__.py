"""Each alert of ``k8s/alerts``, for the person who is woken by it."""

from __future__ import annotations

from docs.build.alerts.books import BOOKS
from docs.build.alerts.checkbox import CHECKBOX
from docs.build.alerts.entry import Alert
from docs.build.alerts.fleet import FLEET
from docs.build.alerts.orders import ORDERS

__all__ = ["ALERTS", "Alert"]

ALERTS = {**ORDERS, **CHECKBOX, **FLEET, **BOOKS}
