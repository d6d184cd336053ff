"""Rows that we made in objects of our own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXTS = ("plan_id", "run_id", "operation_key", "account_id", "record_id")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "own_rows",
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("object", LedgerText(), nullable=False),
        sa.Column("key", LedgerText(), nullable=False),
        *(sa.Column(name, LedgerText(), nullable=False) for name in TEXTS),
        sa.Column("snapshot", sa.Date(), nullable=True),
        sa.Column("quarter", LedgerText(), nullable=True),
        sa.Column("filled", sa.JSON(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "object", "key", name=op.f("pk_own_rows")),
    )
    op.create_index(
        op.f("ix_own_rows_org_id_object_snapshot_plan_id"),
        "own_rows",
        ["org_id", "object", "snapshot", "plan_id"],
    )
    op.create_index(op.f("ix_own_rows_plan_id"), "own_rows", ["plan_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("own_rows")
