"""The headers of our messages. Those of a dead letter are part of the contract with its readers."""

from __future__ import annotations

from enum import StrEnum


class Header(StrEnum):
    """Names of headers. All count only on messages of ours."""

    # What a dead letter says.
    CODE = "x-fiscal-code"
    DETAIL = "x-fiscal-detail"
    ORDER = "x-fiscal-order"
    DOC_NUMBER = "x-fiscal-docnumber"
    INTEGRATION = "x-fiscal-integration"
    CASHIER = "x-fiscal-cashier"
    REQUEST = "x-fiscal-request"
    ATTEMPTS = "x-fiscal-attempts"
    FIRST_SEEN = "x-fiscal-first-seen"
    FAILED_AT = "x-fiscal-failed-at"
    #: How often the message was replayed.
    REPLAYS = "x-fiscal-replays"
    #: The queue that a replay goes back to.
    QUEUE = "x-fiscal-queue"
    #: A ``delayed`` event was published.
    DELAYED = "x-fiscal-delayed"

    #: The code of the dead letter that this message replays.
    REPLAYED_CODE = "x-fiscal-replayed-code"
    ATTEMPT_STATE = "x-fiscal-trail"
    #: When a message may be worked on, in milliseconds since the epoch.
    DUE = "x-fiscal-due"
    #: For how long it was rescheduled, in milliseconds.
    WAIT = "x-fiscal-wait"
    #: An event that the broker has refused so far, with what is published along with it.
    UNTOLD = "x-fiscal-untold"
