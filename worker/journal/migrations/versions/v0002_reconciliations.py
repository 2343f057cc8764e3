"""What comparisons of shifts came to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A table more."""
    op.create_table(
        "reconciliations",
        sa.Column("key", sa.Uuid, primary_key=True),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("compared_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
    )
    op.create_index("reconciliations_heard", "reconciliations", ["heard_at"])
    op.create_index("reconciliations_closed", "reconciliations", ["closed_at"])
