"""Events of a table in a warehouse in their canonical columns, as expressions: none leaves the warehouse."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from connectors.errors import InputError, SettingError
from connectors.exports.plausible import EARLIEST, LEEWAY
from connectors.exports.spec import ExportSpec

TEXTS: Final = ("account_key", "user_id", "event", "feature", "session_id")


def canonical_events(spec: ExportSpec, rows: ir.Table) -> ir.Table:
    """The events with text ids, and with `at` and `known_from` in UTC.

    Raises InputError for a column that is no text, id or time; SettingError for times without a zone that
    the settings take in another one than UTC, which the warehouse would have to know."""
    columns: dict[str, ir.Value] = {}
    for name in TEXTS:
        theirs = spec.theirs(name)
        columns[name] = _text(spec, name, rows[theirs]) if theirs in rows.columns else ibis.null("string")
    columns["at"] = _time(spec, "at", rows[spec.theirs("at")])
    known = spec.theirs("known_from")
    if known in rows.columns:
        columns["known_from"] = ibis.coalesce(_time(spec, "known_from", rows[known]), columns["at"])
    else:
        columns["known_from"] = columns["at"]
    return rows.select(**columns)


def impossible(spec: ExportSpec, rows: ir.Table, latest: datetime | None) -> ir.Table:
    """The rows that a file would be refused for: without time or name, before 1990, or after now."""
    at, event = rows[spec.theirs("at")], rows[spec.theirs("event")]
    kind = at.type()
    wrong = at.isnull() | event.isnull() | (at < _literal(EARLIEST.isoformat(), kind))
    for name in ("at", "known_from"):
        if latest is not None and spec.theirs(name) in rows.columns:
            stamp = rows[spec.theirs(name)]
            wrong |= ibis.coalesce(stamp > _literal((latest + LEEWAY).isoformat(), stamp.type()), False)
    return rows.filter(wrong)


def _literal(moment: str, kind: dt.DataType) -> ir.Value:
    """A moment, in ISO 8601 and UTC, as a value of that type."""
    return ibis.literal(moment if kind.is_date() else moment.removesuffix("+00:00")).cast(kind)


def _text(spec: ExportSpec, name: str, column: ir.Value) -> ir.Value:
    kind = column.type()
    if kind.is_string() or kind.is_integer():
        return column.cast(dt.string)
    if kind.is_decimal() and kind.scale == 0:
        return column.cast(dt.string)
    raise InputError(
        f"{spec.theirs(name)}: a column of {kind} is no text for {name}.",
        record=spec.path,
        fix="Name another column in [[exports]], or a view that casts it.",
    )


def _time(spec: ExportSpec, name: str, column: ir.Value) -> ir.Value:
    kind = column.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return column
    if spec.zone != "UTC":
        raise SettingError(
            f"{spec.theirs(name)} has no zone, and its events are counted by day where they lie, in UTC.",
            setting="[[exports]] timezone",
            searched=(),
            fix="store times with a zone, or name a view that does",
        )
    if kind.is_timestamp() or kind.is_date():
        return column
    raise InputError(
        f"{spec.theirs(name)}: a column of {kind} is no time for {name}.",
        record=spec.path,
        fix="Name another column in [[exports]], or a view that casts it.",
    )
