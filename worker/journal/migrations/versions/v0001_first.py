"""Requests, outcomes and receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEARCHED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """The first version."""
    _requests()
    _outcomes()
    _receipts()


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("key", sa.Uuid, primary_key=True),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.BigInteger),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("order_uuid", sa.Uuid),
        sa.Column("doc_number", sa.Text),
        sa.Column("doc_search", _SEARCHED),
        sa.Column("source", sa.Text),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("id_search", _SEARCHED, nullable=False),
        sa.Column("company", sa.Text),
        sa.Column("integration", sa.Text),
        sa.Column("cashier", sa.Text),
        sa.Column("operation", sa.Text),
        sa.Column("payment_uuid", sa.Uuid),
        sa.Column("return_of_order", sa.Uuid),
        sa.Column("return_of_receipt", sa.Uuid),
        sa.Column("return_of_relation", sa.Text),
        sa.Column("total", sa.BigInteger),
        sa.Column("payments", sa.Text),
        sa.Column("means", sa.Text),
    )
    op.create_index("requests_heard", "requests", ["heard_at"])
    op.create_index("requests_subject", "requests", ["subject"])
    op.create_index("requests_doc", "requests", ["doc_search"])
    op.create_index("requests_id", "requests", ["id_search"])
    # Most documents return nothing.
    returns = sa.text("return_of_order IS NOT NULL")
    op.create_index(
        "requests_return",
        "requests",
        ["return_of_order"],
        postgresql_where=returns,
        sqlite_where=returns,
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("request", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("attempts", sa.Integer),
        sa.Column("already", sa.Boolean),
        sa.Column("dead_lettered", sa.Boolean),
        sa.Column("receipt_made", sa.Boolean),
        sa.Column("next_attempt_at", sa.BigInteger),
        sa.Column("receipts", sa.Text),
    )
    op.create_index("outcomes_heard", "outcomes", ["heard_at"])
    op.create_index("outcomes_request", "outcomes", ["request"])
    op.create_index("outcomes_subject", "outcomes", ["subject"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("fiscal_at", sa.BigInteger, nullable=False),
        sa.Column("request", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("already", sa.Boolean, nullable=False),
        sa.Column("integration", sa.Text),
        sa.Column("cashier", sa.Text),
        sa.Column("operation", sa.Text),
        sa.Column("doc_number", sa.Text),
        sa.Column("fiscal_code", sa.Text, nullable=False),
        sa.Column("fiscal_search", _SEARCHED, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("means", sa.Text),
        sa.Column("relation", sa.Text),
        sa.Column("shift", sa.Text),
        sa.Column("register", sa.Text),
        sa.Column("offline", sa.Boolean, nullable=False),
        sa.Column("tax_url", sa.Text),
        sa.Column("link", sa.Text),
    )
    op.create_index("receipts_heard", "receipts", ["heard_at"])
    op.create_index("receipts_fiscal", "receipts", ["fiscal_at"])
    op.create_index("receipts_subject", "receipts", ["subject"])
    op.create_index("receipts_request", "receipts", ["request"])
    op.create_index("receipts_shift", "receipts", ["shift"])
    op.create_index("receipts_number", "receipts", ["fiscal_search"])
