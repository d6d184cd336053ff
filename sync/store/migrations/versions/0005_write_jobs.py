"""Writes that a job of the CRM bears: each operation knows which one, before the job is closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("operations", sa.Column("job", LedgerText(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("operations", "job")
