"""Work that is shared out and writes that can be trusted: claims, the chain, approvals, schedules, ranges."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerText, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CLAIM_ORDER = "ix_operations_plan_id_state_kind_crashes_position"
ADDED: dict[str, Sequence[sa.Column[object]]] = {
    "runs": (
        sa.Column("asked", sa.JSON(), nullable=True),
        sa.Column("created_by", LedgerText(), nullable=False, server_default=""),
        sa.Column("due_at", UtcDateTime(), nullable=True),
    ),
    "run_steps": (
        sa.Column("owner", LedgerText(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    ),
    "plans": (
        sa.Column("created_by", LedgerText(), nullable=False, server_default=""),
        sa.Column("model_hash", LedgerText(), nullable=False, server_default=""),
        sa.Column("score_run_id", LedgerText(), nullable=True),
        sa.Column("inputs", sa.JSON(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("tried_at", UtcDateTime(), nullable=True),
        sa.Column("paused_until", UtcDateTime(), nullable=True),
        sa.Column("pause_reason", LedgerText(), nullable=True),
    ),
    "operations": (
        sa.Column("owner", LedgerText(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("requests", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lost", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("looks", sa.Integer(), nullable=False, server_default="0"),
    ),
    "journal": (
        sa.Column("kind", LedgerText(), nullable=False, server_default="write"),
        sa.Column("salt", LedgerText(), nullable=True),
        sa.Column("digest", LedgerText(), nullable=True),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
    ),
}


def upgrade() -> None:
    """Add the columns and create the tables."""
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column._copy())
    op.create_index(op.f(CLAIM_ORDER), "operations", ["plan_id", "state", "kind", "crashes", "position"])
    op.create_table(
        "journal_links",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("ref", sa.JSON(), nullable=False),
        sa.Column("digest", LedgerText(), nullable=False),
        sa.Column("previous", LedgerText(), nullable=False),
        sa.Column("mac", LedgerText(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal_links")),
    )
    op.create_table(
        "operators",
        sa.Column("name", LedgerText(), nullable=False),
        sa.Column("role", LedgerText(), nullable=False),
        sa.Column("token_hash", LedgerText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operators")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_operators_token_hash")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("plan_id", LedgerText(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("operator", LedgerText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("note", LedgerText(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_approvals_plan_id_plans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_org_id_kind"), "approvals", ["org_id", "kind"], unique=False)
    op.create_index(op.f("ix_approvals_plan_id"), "approvals", ["plan_id"], unique=False)
    op.create_table(
        "schedules",
        sa.Column("name", LedgerText(), nullable=False),
        sa.Column("job", LedgerText(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("cron", LedgerText(), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("timezone", LedgerText(), nullable=False),
        sa.Column("quiet", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("source", LedgerText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
    )
    op.create_table(
        "schedule_slots",
        sa.Column("schedule", LedgerText(), nullable=False),
        sa.Column("slot", UtcDateTime(), nullable=False),
        sa.Column("claimed_by", LedgerText(), nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", LedgerText(), nullable=True),
        sa.Column("status", LedgerText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_schedule_slots_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["schedule"], ["schedules.name"], name=op.f("fk_schedule_slots_schedule_schedules")
        ),
        sa.PrimaryKeyConstraint("schedule", "slot", name=op.f("pk_schedule_slots")),
    )
    op.create_table(
        "score_ranges",
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("state", LedgerText(), nullable=False),
        sa.Column("owner", LedgerText(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("process", LedgerText(), nullable=True),
        sa.Column("result", LedgerText(), nullable=True),
        sa.Column("sha256", LedgerText(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_score_ranges_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_score_ranges")),
    )
    op.create_table(
        "workers",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("host", LedgerText(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_tick", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def downgrade() -> None:
    """Drop the tables and the columns."""
    for table in ("workers", "score_ranges", "schedule_slots", "schedules", "approvals", "operators"):
        op.drop_table(table)
    op.drop_table("journal_links")
    op.drop_index(op.f(CLAIM_ORDER), table_name="operations")
    for table, columns in reversed(ADDED.items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
