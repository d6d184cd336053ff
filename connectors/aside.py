"""Pages of a table that came along with another one, kept on the disk until they are asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import pyarrow as pa

from connectors.canonical import FROM_CRM
from connectors.crm import Window


class Aside:
    """Pages of one canonical table, set aside and handed out once; only for the window they were read for."""

    def __init__(self, table: str, window: Window) -> None:
        self.window = window
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it outlives this function; `close` ends it
        self._writer = pa.ipc.new_stream(self._file, FROM_CRM[table])

    def add(self, page: pa.Table) -> None:
        """Set a page aside."""
        self._writer.write_table(page)

    def kept(self, pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The pages as they come, each of them set aside too."""
        for page in pages:
            self.add(page)
            yield page

    def pages(self) -> Iterator[pa.Table]:
        """The pages in the order in which they came; the file goes with the last of them."""
        self._writer.close()
        self._file.seek(0)
        try:
            with pa.ipc.open_stream(self._file) as stream:
                for batch in stream:
                    if batch.num_rows:
                        yield pa.Table.from_batches([batch])
        finally:
            self.close()

    def close(self) -> None:
        """Forget the pages."""
        self._file.close()
