"""Values by column or by path, in rows of any shape: a path may lead into a text of JSON or a struct."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import InputError
from connectors.exports.objects import NotJsonError, Paths
from connectors.exports.places import Rows


class Reach:
    """How wanted paths are found in a file with these columns, or in objects with these names and paths.

    In a table a path that leads nowhere is no column; in objects it may lead somewhere in later ones."""

    def __init__(self, names: Collection[str], paths: Iterable[str], *, objects: bool = False) -> None:
        self._names = names
        self._direct: list[str] = []
        self._inside: dict[str, list[str]] = {}
        self._parsers: dict[str, Paths] = {}
        for path in dict.fromkeys(paths):
            column = path if path in names else _column_of(path, names)
            if column is not None and objects and any(name.startswith(f"{column}.") for name in names):
                column = path  # an object without the name so far
            if column == path or (column is None and objects):
                self._direct.append(path)
            elif column is not None:
                self._inside.setdefault(column, []).append(path[len(column) + 1 :])

    @property
    def columns(self) -> Sequence[str]:
        """The columns that must be read."""
        return list(dict.fromkeys([*self._direct, *self._inside]))

    @property
    def paths(self) -> set[str]:
        """The paths that lead somewhere, as far as the column names tell."""
        direct = (path for path in self._direct if path in self._names)
        return {*direct, *(f"{name}.{rest}" for name, rests in self._inside.items() for rest in rests)}

    def values(self, rows: Rows) -> Mapping[str, pa.Array]:
        """The value of each path. Raises InputError for a text that should be JSON."""
        found = {path: rows.columns[path] for path in self._direct}
        for column, rests in self._inside.items():
            cells = rows.columns[column]
            if pa.types.is_struct(cells.type):
                found |= {f"{column}.{rest}": _field(cells, rest) for rest in rests}
                continue
            found |= self._parsed(rows, column, rests)
        return found

    def _parsed(self, rows: Rows, column: str, rests: Sequence[str]) -> dict[str, pa.Array]:
        cells = rows.columns[column]
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        cells = cells.cast(pa.string())
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
        if column not in self._parsers:
            self._parsers[column] = Paths(rests)
        try:
            values = self._parsers[column].values(cells)
        except NotJsonError as error:
            raise InputError(
                f"{column} is no JSON: {error}.",
                record=rows.where(error.index),
                fix="Correct the file; nothing of it was used.",
            ) from None
        return {f"{column}.{rest}": value for rest, value in values.items()}


def _column_of(path: str, names: Collection[str]) -> str | None:
    """The longest beginning of a path that is a column."""
    while "." in path:
        path = path.rpartition(".")[0]
        if path in names:
            return path
    return None


def _field(cells: pa.Array, path: str) -> pa.Array:
    """A field of a struct; null where there is none of the name."""
    for name in path.split("."):
        if not pa.types.is_struct(cells.type) or cells.type.get_field_index(name) < 0:
            return pa.nulls(len(cells), pa.string())
        cells = pc.struct_field(cells, name)
    return cells
