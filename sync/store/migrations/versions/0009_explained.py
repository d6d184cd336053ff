"""What else is said of a scored account: products, what moved its score, accounts like it, and its parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = ("products", "parts", "moved", "like_this", "milestones", "whom")


def upgrade() -> None:
    """Add the columns; scores that were kept before say nothing there."""
    with op.batch_alter_table("scores") as table:
        for name in COLUMNS:
            table.add_column(sa.Column(name, sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("scores") as table:
        for name in reversed(COLUMNS):
            table.drop_column(name)
