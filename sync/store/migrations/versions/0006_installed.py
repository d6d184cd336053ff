"""What an install made in a CRM."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "installed",
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("part", LedgerText(), nullable=False),
        sa.Column("operator", LedgerText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name=op.f("fk_installed_org_id_orgs")),
        sa.PrimaryKeyConstraint("org_id", "part", name=op.f("pk_installed")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("installed")
