"""The webhook of a register."""

from __future__ import annotations

import secrets

from worker.sandbox.clock import iso
from worker.sandbox.entities import Webhook
from worker.sandbox.exchange import Call
from worker.sandbox.refusals import not_found
from worker.sandbox.replies import Reply, answer
from worker.sandbox.webhooks import Webhooks


class WebhookEndpoints:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def get(self, call: Call) -> Reply:
        """ASSUMED: 404 where there is none."""
        if call.register.webhook is None:
            raise not_found("Webhook")
        return answer(_shown(call.register.webhook))

    def set(self, call: Call) -> Reply:
        """Silently replaces the previous webhook. The key is shown only here."""
        key = secrets.token_urlsafe(32)
        webhook = Webhook(call.body["url"], key, created_at=call.state.clock.now())
        call.register.webhook = webhook
        self._webhooks.watch(call.register)
        return answer({**_shown(webhook), "key": key})

    def delete(self, call: Call) -> Reply:
        call.register.webhook = None
        self._webhooks.watch(call.register)
        return answer({"ok": True})


def _shown(webhook: Webhook) -> dict[str, object]:
    error_at = webhook.last_error_at
    return {
        "url": webhook.url,
        "created_at": iso(webhook.created_at),
        "updated_at": None,
        "last_error_date": iso(error_at) if error_at is not None else None,
        "last_error_message": webhook.last_error,
    }
