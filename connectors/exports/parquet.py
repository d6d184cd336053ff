"""Parquet files in batches, checked against all that they say of themselves: a damaged one is refused.

Page checksums are verified where the writer made any, and pages packed by gzip carry their own. Where there
are none, damage shows only where it breaks the format or the text: a flipped bit that turns a value into
another one can't be told from a value. (The footer's statistics would tell some, but pyarrow 26 aborts the
process when those of a damaged footer are asked for.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import InputError

MAGIC: Final = b"PAR1"
_BATCH: Final = 131_072
_BROKEN: Final = (pa.ArrowException, OSError, UnicodeDecodeError)  # the last for a name that is no text


def footer_rows(path: Path) -> int | None:
    """The number of rows by the footer; None for a file that is not (whole) Parquet."""
    with path.open("rb") as stream:
        if stream.read(4) != MAGIC:
            return None
    try:
        return int(pq.read_metadata(path).num_rows)
    except _BROKEN:
        return None


def read_batches(path: Path, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Batches of those wanted columns that the file has. Raises InputError if it is cut or damaged."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = [name for name in wanted if name in file.schema_arrow.names]
            seen = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=names):
                batch.validate(full=True)  # bytes that are no UTF-8 pass for text until then
                seen += batch.num_rows
                yield batch
            if seen != file.metadata.num_rows:
                raise _damaged(path, f"its footer counts {file.metadata.num_rows:,} rows, it holds {seen:,}")
    except _BROKEN as error:
        raise _damaged(path, str(error).splitlines()[0].rstrip(".")) from None


def column_names(path: Path) -> list[str]:
    """The file's columns. Raises InputError if it is cut or damaged."""
    try:
        return list(pq.read_schema(path).names)
    except _BROKEN as error:
        raise _damaged(path, str(error).splitlines()[0].rstrip(".")) from None


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"The Parquet file is cut or damaged: {reason}.",
        record=str(path),
        fix="Export or copy it again; nothing of it was used.",
    )
