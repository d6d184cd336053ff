"""The API calls of all processes: counted, and let out in turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerReal, LedgerText, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "call_orgs",
        sa.Column("org", LedgerText(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_call_orgs")),
    )
    op.create_table(
        "call_counts",
        sa.Column("org", LedgerText(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", "since", "run_id", name=op.f("pk_call_counts")),
    )
    op.create_table(
        "call_rates",
        sa.Column("org", LedgerText(), nullable=False),
        sa.Column("rate", LedgerText(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", "rate", name=op.f("pk_call_rates")),
    )
    op.create_table(
        "call_turns",
        sa.Column("org", LedgerText(), nullable=False),
        sa.Column("rate", LedgerText(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("free_at", LedgerReal(), nullable=False),
        sa.PrimaryKeyConstraint("org", "rate", "turn", name=op.f("pk_call_turns")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("call_turns", "call_rates", "call_counts", "call_orgs"):
        op.drop_table(table)
