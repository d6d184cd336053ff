"""Briefs by a model: drafts that are kept, money that is spent, batches under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "brief_drafts",
        sa.Column("key", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("model", LedgerText(), nullable=False),
        sa.Column("draft", LedgerText(), nullable=True),
        sa.Column("problems", LedgerText(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_brief_drafts")),
    )
    op.create_index(op.f("ix_brief_drafts_account_id"), "brief_drafts", ["account_id"])
    op.create_table(
        "brief_spend",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("status", LedgerText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brief_spend")),
    )
    op.create_index(op.f("ix_brief_spend_run_id"), "brief_spend", ["run_id"])
    op.create_index(op.f("ix_brief_spend_day"), "brief_spend", ["day"])
    op.create_table(
        "brief_batches",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("vendor_id", LedgerText(), nullable=True),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("model", LedgerText(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("status", LedgerText(), nullable=False),
        sa.Column("spend_id", LedgerText(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brief_batches")),
    )
    op.create_index(op.f("ix_brief_batches_status"), "brief_batches", ["status"])


def downgrade() -> None:
    """Drop them."""
    for name in ("brief_batches", "brief_spend", "brief_drafts"):
        op.drop_table(name)
