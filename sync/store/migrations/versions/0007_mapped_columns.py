"""The fields of the CRM from which mapped columns were read, so that a changed mapping is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "mapped_columns",
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("table_name", LedgerText(), nullable=False),
        sa.Column("column_name", LedgerText(), nullable=False),
        sa.Column("field", LedgerText(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name=op.f("fk_mapped_columns_org_id_orgs")),
        sa.PrimaryKeyConstraint("org_id", "table_name", "column_name", name=op.f("pk_mapped_columns")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("mapped_columns")
