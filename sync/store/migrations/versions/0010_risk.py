"""Each score's chance of churn and of contraction, null where the model said nothing of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerReal

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = ("churn", "contraction")


def upgrade() -> None:
    """Create the columns."""
    with op.batch_alter_table("scores") as table:
        for name in COLUMNS:
            table.add_column(sa.Column(name, LedgerReal(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("scores") as table:
        for name in reversed(COLUMNS):
            table.drop_column(name)
