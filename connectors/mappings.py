"""What the settings say about the CRM's fields: canonical columns in a company's own, ours under others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from connectors.canonical import CRM_TABLES
from connectors.errors import SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Mappings:
    """Canonical column -> the CRM's field by table, and our own fields under other names."""

    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    account_external_id: str = ""
    own_fields: Mapping[str, str] = field(default_factory=dict)  # key of fields.toml -> RevOps' own field

    @classmethod
    def of(cls, mapping: Mapping[str, Mapping[str, str]], account_external_id: str) -> Mappings:
        """From the [mapping.*] settings; `fields` is the table of our own fields."""
        tables = {table: dict(columns) for table, columns in mapping.items() if table != "fields"}
        return cls(
            tables=tables,
            account_external_id=account_external_id,
            own_fields=dict(mapping.get("fields", {})),
        )

    def columns(self, table: str) -> Mapping[str, str]:
        """The company's own fields of a table."""
        own = dict(self.tables.get(table, {}))
        if table == "accounts" and self.account_external_id:
            own.setdefault("external_id", self.account_external_id)
        return own

    def checked(self, table: str, stamps: Collection[str]) -> Iterator[tuple[str, str]]:
        """Each mapped column as the settings name it, and its field, which the caller checks.

        Raises SetupError for a column that the table has not, or that is one of its own `stamps`."""
        names = CRM_TABLES[table].names
        for name, path in self.columns(table).items():
            where = f"[mapping.{table}] {name}"
            if name not in names or name in stamps:
                free = ", ".join(known for known in names if known not in stamps)
                raise SetupError("There is no such column to map.", record=where, fix=f"Use one of: {free}.")
            yield where, path
