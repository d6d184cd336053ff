"""Rows read as they are held, even where a column holds what we could not have written.

SQLite keeps any text in a column of JSON or of times. Whoever audits the journal must be told of such a row,
so what can't be read comes back as the bare text, where the ORM would raise.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Dialect, Select, Text, select, type_coerce
from sqlalchemy.types import TypeDecorator, TypeEngine

from sync.store.base import Base, UtcDateTime


class _TimeAsHeld(UtcDateTime):
    """A timestamp, or the text that is none."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return (
            dialect.type_descriptor(Text())
            if dialect.name == "sqlite"
            else super().load_dialect_impl(dialect)
        )

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return value
        return super().process_result_value(value, dialect) if isinstance(value, datetime) else value


class _JsonAsHeld(TypeDecorator[Any]):
    """JSON's content, or the text that is none."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSON())

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if dialect.name != "sqlite" or not isinstance(value, str | bytes):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value


def select_as_held(table: type[Base]) -> Select[Any]:
    """Every column of a table's rows, read as it is held."""
    columns: list[ColumnElement[Any]] = []
    for column in table.__table__.columns:
        match column.type:
            case UtcDateTime():
                columns.append(type_coerce(column, _TimeAsHeld()).label(column.name))
            case JSON():
                columns.append(type_coerce(column, _JsonAsHeld()).label(column.name))
            case _:
                columns.append(column)
    return select(*columns)
