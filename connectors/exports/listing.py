"""The files that an [[exports]] entry names, each with its size and checksum."""

from __future__ import annotations

import glob
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.errors import InputError
from connectors.exports.spec import ExportFile, ExportSpec

if TYPE_CHECKING:
    from connectors.exports.depot import Depot

UNREADABLE: Final = ""
"""The checksum of a file that can't be opened; reading it says why."""


def list_files(spec: ExportSpec, depot: Depot | None = None) -> list[ExportFile]:
    """The files that the pattern names, sorted by path. Raises InputError when there are none.

    Objects of a store and tables of a warehouse are brought to the depot."""
    if "://" in spec.path:
        from connectors.exports.stores import bring

        assert depot is not None, "what lies elsewhere needs a depot"
        source = depot.warehouses.get(spec.path)
        if source is not None:
            from connectors.exports.warehouse import bring_rows

            return bring_rows(spec, source, depot)
        return bring(spec, depot)
    exact = Path(spec.path)
    found = [exact] if exact.is_file() else [Path(name) for name in glob.glob(spec.path, recursive=True)]
    files = sorted(path for path in found if path.is_file())
    if not files:
        raise nothing_there(spec)
    return [listed(path) for path in files]


def listed(path: Path, *, address: str = "", tag: str = "") -> ExportFile:
    """The file with its size and checksum; one that can't be opened has none."""
    from connectors.exports.parquet import footer_rows

    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError:
        return ExportFile(path=path, size=0, sha256=UNREADABLE, address=address, tag=tag)
    return ExportFile(path=path, size=size, sha256=digest, rows=footer_rows(path), address=address, tag=tag)


def nothing_there(spec: ExportSpec) -> InputError:
    """The error of a pattern that names no file."""
    return InputError(
        f"No file of the export of {spec.kind} is there.",
        record=spec.path,
        fix="Correct path in [[exports]]; a pattern such as exports/events/*.parquet names many files.",
    )
