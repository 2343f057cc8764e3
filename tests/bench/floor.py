"""The floor: what Dramatiq, the HTTP library and a confirmed publish cost with no worker around them.

Run by ``dramatiq tests.bench.floor``. The broker is Dramatiq's own with confirms and a prefetch of its
threads; two calls to Checkbox, one event. It waits for no number, checks nothing, logs nothing: not for use.
"""

from __future__ import annotations

import json
import os
import threading

import dramatiq
import httpx2
import pika
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from worker.rabbit.topology import EVENTS_EXCHANGE

_URL = os.environ["FISCAL_RABBITMQ_URL"]
_CHECKBOX = os.environ["FISCAL_CHECKBOX_URL"]
_THREADS = int(os.environ["FISCAL_THREADS"])

dramatiq.set_broker(RabbitmqBroker(url=_URL, confirm_delivery=True))
_limits = httpx2.Limits(max_connections=_THREADS + 8, max_keepalive_connections=_THREADS + 8)
_http = httpx2.Client(base_url=_CHECKBOX, limits=_limits, timeout=15, trust_env=False)
_mine = threading.local()


def _channel() -> pika.adapters.blocking_connection.BlockingChannel:
    if not hasattr(_mine, "channel"):
        _mine.channel = pika.BlockingConnection(pika.URLParameters(_URL)).channel()
        _mine.channel.confirm_delivery()
    return _mine.channel


@dramatiq.actor(queue_name="floor", max_retries=0)
def sell(request: str, token: str, receipt: str, sale: str) -> None:
    """Sell, look, tell."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    _http.post("/api/v1/receipts/sell", content=sale.encode(), headers=headers).raise_for_status()
    issued = _http.get(f"/api/v1/receipts/{receipt}", headers=headers).raise_for_status().json()
    event = {"data": {"requestId": request, "receipt": {"id": issued["id"]}}}
    _channel().basic_publish(
        EVENTS_EXCHANGE,
        "fiscalization.succeeded",
        json.dumps(event).encode(),
        pika.BasicProperties(delivery_mode=2),
        mandatory=True,
    )
