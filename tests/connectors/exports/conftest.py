"""Makers of export files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.exports.spec import ExportSpec, list_files
from connectors.exports.table import read_export

Load = Callable[..., pa.Table]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes content to a file and reads it as an export of a kind."""

    def read(
        content: bytes | str, *, kind: str = "events", name: str = "file.dat", **settings: object
    ) -> pa.Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        spec = ExportSpec(kind=kind, path=str(path), **settings)  # type: ignore[arg-type]  # the spec checks them
        (file,) = list_files(spec)
        return read_export(spec, file)

    return read
