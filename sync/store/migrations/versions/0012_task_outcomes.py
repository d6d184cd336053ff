"""How each task's brief was written, what it was worth, and how it ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerReal, LedgerText, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXTS = ("style", "writer", "language", "evidence_hash", "closed_reason", "outcome")


def upgrade() -> None:
    """Create the columns."""
    with op.batch_alter_table("tasks") as table:
        for name in TEXTS:
            table.add_column(sa.Column(name, LedgerText(), nullable=True))
        table.add_column(sa.Column("outcome_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("value", LedgerReal(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("tasks") as table:
        for name in ("value", "outcome_at", *reversed(TEXTS)):
            table.drop_column(name)
