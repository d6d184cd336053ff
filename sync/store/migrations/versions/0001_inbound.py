"""The way in: orgs, runs, segments, bookmarks, export files, aliases, scores, locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerReal, LedgerText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "locks",
        sa.Column("name", LedgerText(), nullable=False),
        sa.Column("owner", LedgerText(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
    )
    op.create_table(
        "orgs",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("name", LedgerText(), nullable=False),
        sa.Column("url", LedgerText(), nullable=False),
        sa.Column("currency", LedgerText(), nullable=False),
        sa.Column("timezone", LedgerText(), nullable=False),
        sa.Column("api_version", LedgerText(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orgs")),
    )
    op.create_table(
        "aliases",
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("table_name", LedgerText(), nullable=False),
        sa.Column("loser", LedgerText(), nullable=False),
        sa.Column("survivor", LedgerText(), nullable=False),
        sa.Column("external_id", LedgerText(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name=op.f("fk_aliases_org_id_orgs")),
        sa.PrimaryKeyConstraint("org_id", "table_name", "loser", name=op.f("pk_aliases")),
    )
    op.create_table(
        "bookmarks",
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("table_name", LedgerText(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name=op.f("fk_bookmarks_org_id_orgs")),
        sa.PrimaryKeyConstraint("org_id", "table_name", name=op.f("pk_bookmarks")),
    )
    op.create_table(
        "runs",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("verb", LedgerText(), nullable=False),
        sa.Column("org_id", LedgerText(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("status", LedgerText(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("config_hash", LedgerText(), nullable=False),
        sa.Column("error", LedgerText(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name=op.f("fk_runs_org_id_orgs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_started_at"), "runs", ["started_at"], unique=False)
    op.create_table(
        "export_files",
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("path", LedgerText(), nullable=False),
        sa.Column("format", LedgerText(), nullable=False),
        sa.Column("spec_hash", LedgerText(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", LedgerText(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("status", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_export_files_run_id_runs")),
        sa.PrimaryKeyConstraint("kind", "path", name=op.f("pk_export_files")),
    )
    op.create_table(
        "model_runs",
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("model_version", LedgerText(), nullable=False),
        sa.Column("data_hash", LedgerText(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("scored_at", UtcDateTime(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_model_runs_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_model_runs")),
    )
    op.create_index(op.f("ix_model_runs_as_of"), "model_runs", ["as_of"], unique=False)
    op.create_table(
        "run_steps",
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", LedgerText(), nullable=False),
        sa.Column("status", LedgerText(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_steps_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_run_steps")),
    )
    op.create_table(
        "segments",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("table_name", LedgerText(), nullable=False),
        sa.Column("path", LedgerText(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", LedgerText(), nullable=False),
        sa.Column("source", LedgerText(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", LedgerText(), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_segments_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("path", name=op.f("uq_segments_path")),
    )
    op.create_index(op.f("ix_segments_table_name_active"), "segments", ["table_name", "active"], unique=False)
    op.create_table(
        "scores",
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("crm_id", LedgerText(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("probability", LedgerReal(), nullable=True),
        sa.Column("tier", LedgerText(), nullable=False),
        sa.Column("arr_if_expands", LedgerReal(), nullable=True),
        sa.Column("arr_low", LedgerReal(), nullable=True),
        sa.Column("arr_high", LedgerReal(), nullable=True),
        sa.Column("expected_arr", LedgerReal(), nullable=True),
        sa.Column("product", LedgerText(), nullable=True),
        sa.Column("product_2", LedgerText(), nullable=True),
        sa.Column("timing", LedgerText(), nullable=True),
        sa.Column("health", LedgerText(), nullable=True),
        sa.Column("health_reasons", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("against", sa.JSON(), nullable=False),
        sa.Column("reason_codes", sa.JSON(), nullable=False),
        sa.Column("data_completeness", LedgerReal(), nullable=True),
        sa.Column("basis", LedgerText(), nullable=True),
        sa.Column("is_pipeline", sa.Boolean(), nullable=False),
        sa.Column("model_version", LedgerText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["model_runs.run_id"], name=op.f("fk_scores_run_id_model_runs")),
        sa.PrimaryKeyConstraint("run_id", "account_id", name=op.f("pk_scores")),
    )
    op.create_index(op.f("ix_scores_account_id_as_of"), "scores", ["account_id", "as_of"], unique=False)
    op.create_index(op.f("ix_scores_crm_id"), "scores", ["crm_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_scores_crm_id"), table_name="scores")
    op.drop_index(op.f("ix_scores_account_id_as_of"), table_name="scores")
    op.drop_table("scores")
    op.drop_index(op.f("ix_segments_table_name_active"), table_name="segments")
    op.drop_table("segments")
    op.drop_table("run_steps")
    op.drop_index(op.f("ix_model_runs_as_of"), table_name="model_runs")
    op.drop_table("model_runs")
    op.drop_table("export_files")
    op.drop_index(op.f("ix_runs_started_at"), table_name="runs")
    op.drop_table("runs")
    op.drop_table("bookmarks")
    op.drop_table("aliases")
    op.drop_table("orgs")
    op.drop_table("locks")
