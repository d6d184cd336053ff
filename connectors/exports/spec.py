"""What the settings say about an export, and the files that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.canonical import EXPORT_KINDS, EXPORT_TABLES
from connectors.errors import SettingError
from connectors.exports.encodings import known_encoding

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "events": ("account_key", "user_id", "event", "at"),
    "users": ("account_key", "user_id"),
    "usage": ("account_key", "metric", "period_start", "value"),
    "billing": ("account_key", "period_start"),
    "entitlements": ("account_key", "item", "valid_from"),
    "tickets": ("account_key", "ticket_id", "created_at"),
    "surveys": ("account_key", "kind", "score", "responded_at"),
    "triggers": ("account_key", "kind", "occurred_on"),
    "notes": ("account_key", "kind", "written_at", "text"),
}
"""Columns without which a file of this kind says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSpec:
    """One [[exports]] entry; raises SettingError when it can't be right.

    `account_key` and the values of `columns` are column names, or dotted paths through objects
    (`groups.account`). `timezone` is that of timestamps without one; where none is stated they are taken in
    UTC, unless others of the file name a zone. `encoding` is that of text which is not UTF-8."""

    kind: str
    path: str
    format: str = "auto"
    account_key: str = "account_key"
    columns: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse an unknown kind, format, column, time zone or encoding."""
        from connectors.exports.formats import NAMES, VENDORS

        if self.kind not in EXPORT_KINDS:
            raise _wrong(
                "kind", f"'{self.kind}' is no kind of export.", f"Use one of: {', '.join(EXPORT_KINDS)}."
            )
        if self.format not in NAMES:
            raise _wrong(
                "format", f"'{self.format}' is no format of an export.", f"Use one of: {', '.join(NAMES)}."
            )
        vendor = VENDORS.get(self.format)
        if vendor is not None and self.kind not in vendor.kinds:
            raise _wrong(
                "format",
                f"{vendor.title} delivers no {self.kind}.",
                f'It delivers {" and ".join(vendor.kinds)}; tables of your own have format = "table".',
            )
        known = self.schema.names
        for name in self.columns:
            if name not in known:
                raise _wrong(
                    "columns", f"{self.kind} has no column '{name}'.", f"Use some of: {', '.join(known)}."
                )
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise _wrong(
                "timezone", f"'{self.timezone}' is no time zone.", "Use an IANA name such as Europe/Berlin."
            ) from None
        try:
            known_encoding(self.encoding)
        except ValueError as error:
            raise _wrong("encoding", f"{error}.", "Use a name such as latin-1, cp1252 or utf-16.") from None

    @property
    def zone(self) -> str:
        """The time zone in which timestamps without one are taken."""
        return self.timezone or "UTC"

    @property
    def table(self) -> str:
        """The canonical table that its rows belong to."""
        return EXPORT_KINDS[self.kind]

    @property
    def schema(self) -> pa.Schema:
        """The canonical schema of its rows."""
        return EXPORT_TABLES[self.table]

    def theirs(self, name: str) -> str:
        """The file's name of a canonical column."""
        if name == "account_key" and name not in self.columns:
            return self.account_key
        return self.columns.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One file as it was when it was listed; `rows` only where the file says so itself (Parquet).

    `path` is where it can be opened on this machine, `address` what people call it: the path, but for what
    is brought from a store or warehouse, of which `tag` names the version. `reduced` are tables of
    days that a warehouse made of its events: they are read instead of the events, which stay there."""

    path: Path
    size: int
    sha256: str
    rows: int | None = None
    address: str = ""
    tag: str = ""
    reduced: Mapping[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The address, else the path."""
        return self.address or str(self.path)


def _wrong(name: str, message: str, fix: str) -> SettingError:
    return SettingError(message, setting=f"[[exports]] {name}", searched=(), fix=fix)
