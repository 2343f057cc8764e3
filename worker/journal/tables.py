"""The journal's tables: without buyer, card or goods.

Times are milliseconds since the epoch, sums kopiykas. A column that ends in ``_search`` holds what a person
may type: without spaces, in lower case. ``subject`` groups what belongs together: the order's uuid or, where
a message does not name it, the request's key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, Uuid, text

METADATA = MetaData()

#: Compared by code points in every database, so that a beginning is a range of the index.
SEARCHED = Text().with_variant(Text(collation="C"), "postgresql")

#: Most documents return nothing.
_RETURNS = text("return_of_order IS NOT NULL")

REQUESTS = Table(
    "requests",
    METADATA,
    Column("key", Uuid, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("asked_at", BigInteger),
    Column("subject", Uuid, nullable=False),
    Column("order_uuid", Uuid),
    Column("doc_number", Text),
    Column("doc_search", SEARCHED),
    Column("source", Text),
    Column("request_id", Text, nullable=False),
    Column("id_search", SEARCHED, nullable=False),
    Column("company", Text),
    Column("integration", Text),
    Column("cashier", Text),
    Column("operation", Text),
    Column("payment_uuid", Uuid),
    Column("return_of_order", Uuid),
    Column("return_of_receipt", Uuid),
    Column("return_of_relation", Text),
    Column("total", BigInteger),
    Column("payments", Text),
    #: As in ``receipts``.
    Column("means", Text),
    Index("requests_heard", "heard_at"),
    Index("requests_subject", "subject"),
    Index("requests_doc", "doc_search"),
    Index("requests_id", "id_search"),
    Index("requests_return", "return_of_order", postgresql_where=_RETURNS, sqlite_where=_RETURNS),
)

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    Column("request", Uuid, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Text),
    Column("detail", Text),
    Column("attempts", Integer),
    Column("already", Boolean),
    Column("dead_lettered", Boolean),
    Column("receipt_made", Boolean),
    Column("next_attempt_at", BigInteger),
    #: Their ids, in JSON.
    Column("receipts", Text),
    Index("outcomes_heard", "heard_at"),
    Index("outcomes_request", "request"),
    Index("outcomes_subject", "subject"),
)

#: Receipts with a fiscal number, as succeeded events name them. ``means`` are the payments of the request
#: that made it, in JSON: ``[[form, label, amount], …]``, or ``[[form, label]]`` where one is the whole total.
RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("fiscal_at", BigInteger, nullable=False),
    Column("request", Uuid, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("already", Boolean, nullable=False),
    Column("integration", Text),
    Column("cashier", Text),
    Column("operation", Text),
    Column("doc_number", Text),
    Column("fiscal_code", Text, nullable=False),
    Column("fiscal_search", SEARCHED, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("means", Text),
    Column("relation", Text),
    Column("shift", Text),
    Column("register", Text),
    Column("offline", Boolean, nullable=False),
    Column("tax_url", Text),
    Column("link", Text),
    Index("receipts_heard", "heard_at"),
    Index("receipts_fiscal", "fiscal_at"),
    Index("receipts_subject", "subject"),
    Index("receipts_request", "request"),
    Index("receipts_shift", "shift"),
    Index("receipts_number", "fiscal_search"),
)

#: What people did: replays, discards and exports of dead letters, shifts closed and opened.
ACTIONS = Table(
    "actions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("done_at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("withheld", Integer, nullable=False),
    Column("outcome", Text),
    Index("actions_heard", "heard_at"),
    Index("actions_done", "done_at"),
)

#: The newest comparison of a shift, for an integration; ``report`` is the notice's data, in JSON.
RECONCILIATIONS = Table(
    "reconciliations",
    METADATA,
    Column("key", Uuid, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("compared_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("report", Text, nullable=False),
    Index("reconciliations_heard", "heard_at"),
    Index("reconciliations_closed", "closed_at"),
)
