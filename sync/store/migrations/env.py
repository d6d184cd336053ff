"""Alembic's entry: runs the revisions on the connection, and in the transaction, that the ledger opened."""

from __future__ import annotations

from alembic import context

from sync.store import briefs, calls, own_rows, people, tables, work, writeback
from sync.store.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # SQLite's DDL is transactional once BEGIN is ours
)
context.run_migrations()

__all__ = [
    "briefs",
    "calls",
    "own_rows",
    "people",
    "tables",
    "work",
    "writeback",
]  # imported so that their tables are on the MetaData
