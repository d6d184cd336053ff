"""The ledger: our durable record of runs, scores, plans, writes and outcomes, in SQLite or PostgreSQL."""

from sync.store.engine import Store

__all__ = ["Store"]
