"""What people said of accounts in the fields that are theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "heard",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("record_id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heard")),
    )
    op.create_index(op.f("ix_heard_org_id_record_id"), "heard", ["org_id", "record_id"])
    op.create_index(op.f("ix_heard_account_id"), "heard", ["account_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("heard")
