"""Where a row of an export stands, in words: file, part of a zip, line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Columns = Mapping[str, pa.Array]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows under the file's own names, and where they stand.

    `lines` are their line numbers; None in Parquet, which has rows only. `first_row` counts from 1, and is
    None where a line is a row anyhow (JSON lines), or where `numbers` says each row's own."""

    columns: Columns
    count: int
    source: str  # the file, and the part of it in a zip
    lines: Numbers | None
    first_row: int | None
    numbers: Numbers | None = None

    def where(self, index: int) -> str:
        """The place of one row for people: events.csv, line 3 (row 2)."""
        row = None if self.first_row is None else f"row {self.first_row + index}"
        if self.numbers is not None:
            row = f"row {self.numbers[index]}"
        if self.lines is None:
            return f"{self.source}, {row}"
        line = f"{self.source}, line {self.lines[index]}"
        return line if row is None else f"{line} ({row})"
