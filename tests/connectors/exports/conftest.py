"""Makers of export files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.exports.listing import list_files
from connectors.exports.spec import ExportSpec
from connectors.exports.table import read_export

Load = Callable[..., pa.Table]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes content to a file and reads it as an export of a kind; `now` is when it is read."""

    def read(
        content: bytes | str,
        *,
        kind: str = "events",
        name: str = "file.dat",
        now: Any = None,
        **settings: object,
    ) -> pa.Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        spec = ExportSpec(kind=kind, path=str(path), **settings)  # type: ignore[arg-type]  # the spec checks them
        (file,) = list_files(spec)
        return read_export(spec, file, now=now)

    return read


@pytest.fixture
def lines() -> Callable[[Iterable[Mapping[str, Any]]], bytes]:
    """Objects as JSON lines, as vendors write them: letters beyond ASCII escaped."""

    def write(objects: Iterable[Mapping[str, Any]]) -> bytes:
        return "".join(f"{json.dumps(each)}\n" for each in objects).encode()

    return write
