"""Export files that can't be used, and more of what is known of those that can: days, version, sample."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the columns."""
    op.create_table(
        "quarantined_files",
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("path", LedgerText(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", LedgerText(), nullable=False),
        sa.Column("reason", LedgerText(), nullable=False),
        sa.Column("place", LedgerText(), nullable=False),
        sa.Column("fix", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=True),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_quarantined_files_run_id_runs")),
        sa.PrimaryKeyConstraint("kind", "path", name=op.f("pk_quarantined_files")),
    )
    with op.batch_alter_table("export_files") as table:
        table.add_column(sa.Column("days", sa.JSON(), nullable=True))
        table.add_column(sa.Column("tag", LedgerText(), server_default=sa.text("''"), nullable=False))
        table.add_column(sa.Column("sample", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("sample_bits", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("export_files") as table:
        for name in ("sample_bits", "sample", "tag", "days"):
            table.drop_column(name)
    op.drop_table("quarantined_files")
