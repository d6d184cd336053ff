"""What the ledger's schema is on PostgreSQL, where SQLite has no types to speak of."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from sync.store import Store


@pytest.fixture
def columns(new_ledger: Any) -> list[Any]:
    """Every column of the ledger's own tables, as the server describes it."""
    query = (
        "SELECT table_name, column_name, data_type, collation_name, character_maximum_length "
        "FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"
    )
    with new_ledger("postgresql") as url, Store.open(url) as store, store.session() as session:
        return list(session.execute(text(query)))


def test_every_text_is_ordered_by_code_point(columns: list[Any]) -> None:
    """Its length is free: a limit that SQLite does not know would be met first in production."""
    texts = [c for c in columns if c.data_type in ("text", "character varying", "character")]
    assert len(texts) > 50
    assert [c for c in texts if (c.collation_name, c.character_maximum_length) != ("C", None)] == []


def test_numbers_that_grow_are_64_bits_wide(columns: list[Any]) -> None:
    """A journal of ten thousand cells a day outlives 32 bits in some hundred years, a busy one sooner."""
    kinds = {(c.table_name, c.column_name): c.data_type for c in columns}
    wide = [
        ("journal", "id"), ("journal", "undoes"), ("segments", "id"), ("segments", "rows"),
        ("segments", "bytes"), ("export_files", "size"), ("export_files", "rows"),
    ]  # fmt: skip
    assert {kinds[name] for name in wide} == {"bigint"}


def test_every_moment_has_its_zone(columns: list[Any]) -> None:
    """So that a look with psql is right in any zone."""
    assert [c for c in columns if c.data_type == "timestamp without time zone"] == []
    assert [c for c in columns if c.data_type == "real"] == []
