"""The way out: plans, operations, journal, tasks, outcomes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.base import LedgerReal, LedgerText, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "outcomes",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("source", LedgerText(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("arr_added", LedgerReal(), nullable=True),
        sa.Column("score_run_id", LedgerText(), nullable=True),
        sa.Column("score_as_of", sa.Date(), nullable=True),
        sa.Column("probability", LedgerReal(), nullable=True),
        sa.Column("tier", LedgerText(), nullable=True),
        sa.Column("expected_arr", LedgerReal(), nullable=True),
        sa.Column("task_key", LedgerText(), nullable=True),
        sa.Column("collected_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
    )
    op.create_index(
        op.f("ix_outcomes_account_id_happened_on"), "outcomes", ["account_id", "happened_on"], unique=False
    )
    op.create_table(
        "plans",
        sa.Column("id", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("org_id", LedgerText(), nullable=False),
        sa.Column("object", LedgerText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("model_version", LedgerText(), nullable=False),
        sa.Column("mapping_hash", LedgerText(), nullable=False),
        sa.Column("schema_hash", LedgerText(), nullable=False),
        sa.Column("digest", LedgerText(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("api_calls", sa.Integer(), nullable=False),
        sa.Column("status", LedgerText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_run_id"), "plans", ["run_id"], unique=False)
    op.create_table(
        "operations",
        sa.Column("key", LedgerText(), nullable=False),
        sa.Column("plan_id", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", LedgerText(), nullable=False),
        sa.Column("object", LedgerText(), nullable=False),
        sa.Column("record_id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", LedgerText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", LedgerText(), nullable=True),
        sa.Column("vendor_code", LedgerText(), nullable=True),
        sa.Column("message", LedgerText(), nullable=True),
        sa.Column("fix", LedgerText(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_operations_plan_id_plans")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_operations")),
    )
    op.create_index(
        op.f("ix_operations_plan_id_kind_position"),
        "operations",
        ["plan_id", "kind", "position"],
        unique=False,
    )
    op.create_index(op.f("ix_operations_state"), "operations", ["state"], unique=False)
    op.create_table(
        "plan_skips",
        sa.Column("plan_id", LedgerText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("record_id", LedgerText(), nullable=True),
        sa.Column("subject", LedgerText(), nullable=False),
        sa.Column("reason", LedgerText(), nullable=False),
        sa.Column("detail", LedgerText(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_skips_plan_id_plans")),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("pk_plan_skips")),
    )
    op.create_table(
        "tasks",
        sa.Column("key", LedgerText(), nullable=False),
        sa.Column("plan_id", LedgerText(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("account_crm_id", LedgerText(), nullable=False),
        sa.Column("task_id", LedgerText(), nullable=False),
        sa.Column("owner_id", LedgerText(), nullable=True),
        sa.Column("play", LedgerText(), nullable=False),
        sa.Column("product", LedgerText(), nullable=True),
        sa.Column("cycle", LedgerText(), nullable=False),
        sa.Column("subject", LedgerText(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_tasks_plan_id_plans")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_account_id"), "tasks", ["account_id"], unique=False)
    op.create_index(op.f("ix_tasks_owner_id"), "tasks", ["owner_id"], unique=False)
    op.create_index(op.f("ix_tasks_plan_id"), "tasks", ["plan_id"], unique=False)
    op.create_index(op.f("ix_tasks_run_id"), "tasks", ["run_id"], unique=False)
    op.create_table(
        "journal",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("run_id", LedgerText(), nullable=False),
        sa.Column("plan_id", LedgerText(), nullable=False),
        sa.Column("operation_key", LedgerText(), nullable=False),
        sa.Column("object", LedgerText(), nullable=False),
        sa.Column("record_id", LedgerText(), nullable=False),
        sa.Column("account_id", LedgerText(), nullable=False),
        sa.Column("field", LedgerText(), nullable=False),
        sa.Column("key", LedgerText(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("undoes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_key"], ["operations.key"], name=op.f("fk_journal_operation_key_operations")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_journal_plan_id_plans")),
        sa.ForeignKeyConstraint(["undoes"], ["journal.id"], name=op.f("fk_journal_undoes_journal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("undoes", name=op.f("uq_journal_undoes")),
    )
    op.create_index(
        op.f("ix_journal_object_record_id_field"), "journal", ["object", "record_id", "field"], unique=False
    )
    op.create_index(op.f("ix_journal_plan_id"), "journal", ["plan_id"], unique=False)
    op.create_index(op.f("ix_journal_run_id"), "journal", ["run_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_journal_run_id"), table_name="journal")
    op.drop_index(op.f("ix_journal_plan_id"), table_name="journal")
    op.drop_index(op.f("ix_journal_object_record_id_field"), table_name="journal")
    op.drop_table("journal")
    op.drop_index(op.f("ix_tasks_run_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_plan_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_owner_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_account_id"), table_name="tasks")
    op.drop_table("tasks")
    op.drop_table("plan_skips")
    op.drop_index(op.f("ix_operations_state"), table_name="operations")
    op.drop_index(op.f("ix_operations_plan_id_kind_position"), table_name="operations")
    op.drop_table("operations")
    op.drop_index(op.f("ix_plans_run_id"), table_name="plans")
    op.drop_table("plans")
    op.drop_index(op.f("ix_outcomes_account_id_happened_on"), table_name="outcomes")
    op.drop_table("outcomes")
