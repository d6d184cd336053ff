"""Export files without a row where there were rows before: most likely cut, so said, though they are read.

A header alone is a file too: a quiet product may export nothing. But a file that is sent again takes the
place of what it said, so an export that broke off behind its header takes usage away without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from sync.store.tables import ExportFileRow

if TYPE_CHECKING:
    from connectors.exports.spec import ExportSpec

FIX = "If it was cut, export it again and read it: upswell pull"


def empty_warning(
    spec: ExportSpec, path: str, known: Mapping[tuple[str, str], ExportFileRow], *, beside: bool
) -> str | None:
    """A sentence about a file without rows; None where its pattern never brought any, as far as we know.

    `known` are the files that were read before, `beside` says whether one that is read with it has rows."""
    before = known.get((spec.kind, path))
    if before is not None and before.rows:
        return f"{path}: the file has no rows; when it was read last it had {before.rows:,}. {FIX}"
    if beside or any(row.rows for row in _read_before(spec, known.values())):
        return f"{path}: the file has no rows, and other files of {spec.path} do. {FIX}"
    return None


def was_read(spec: ExportSpec, known: Iterable[ExportFileRow]) -> bool:
    """Whether any file that the pattern has ever named was read."""
    return any(True for _ in _read_before(spec, known))


def _read_before(spec: ExportSpec, known: Iterable[ExportFileRow]) -> Iterable[ExportFileRow]:
    """Each file that was read and whose name is one of the pattern's."""
    return (
        row
        for row in known
        if row.kind == spec.kind and (row.path == spec.path or fnmatch(row.path, spec.path))
    )
