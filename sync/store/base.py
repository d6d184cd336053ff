"""The ledger's MetaData and column types, shared by every table of `sync.store`: the same on both databases.

Text has no length, because PostgreSQL would refuse a longer one that SQLite keeps, and an outcome that can't
be kept after the CRM took the write is the worst there is. It is ordered by code point on both, whatever
the database's locale, so that lists come out alike and an id's order does not depend on the machine.
Timestamps are aware and in UTC on the way in and on the way out, whatever the database keeps: SQLite
has no time zone of its own, so a naive value would silently mean the machine's zone.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Double, MetaData, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from sync.store.storable import storable


class UtcDateTime(TypeDecorator[datetime]):
    """An aware timestamp in UTC. Raises ValueError for a naive one, which could be in any zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The value in UTC, as the database takes it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive timestamp {value.isoformat()}; the ledger takes aware ones only")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> datetime | None:
        """The value as an aware timestamp in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LedgerText(TypeDecorator[str]):
    """Text of any length, ordered by code point; what a database can't hold is made `storable`."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TEXT; SQLite compares bytes anyway."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> str | None:
        """The text as it can be kept."""
        return None if value is None else storable(value)


class LedgerReal(TypeDecorator[float]):
    """A double; not-a-number is no value, as in a table of scores, and zero has no sign."""

    impl = Double
    cache_ok = True

    def process_bind_param(
        self,
        value: float | None,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> float | None:
        """The number, or None for NaN."""
        return None if value is None or math.isnan(value) else value + 0.0  # SQLite loses the sign of -0.0


class Base(DeclarativeBase):
    """Every table of the ledger. Constraint names are fixed, so that a migration can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute
        str: LedgerText(),
        float: LedgerReal(),
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }
