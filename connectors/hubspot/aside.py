"""Pages of a table that came along with another one, kept on the disk until they are asked for.

HubSpot tells a deal's stages of the past together with the deal, 50 a page, and a line item tells its deal.
Read apart, each of them is listed twice; read together, once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from connectors.canonical import FROM_CRM
from connectors.crm import Window

HISTORIES: Final = MappingProxyType(
    {
        "accounts": ("account_history",),
        "opportunities": ("opportunity_history", "opportunity_field_history"),
    }
)
"""Tables that tell the past of another table's records."""

ROLES: Final = "contact_roles"
LINES: Final = "opportunity_lines"


class Aside:
    """Pages of one canonical table, set aside and handed out once; only for the window they were read for."""

    def __init__(self, table: str, window: Window) -> None:
        self.window = window
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it outlives this function; `close` ends it
        self._writer = pa.ipc.new_stream(self._file, FROM_CRM[table])

    def add(self, page: pa.Table) -> None:
        """Set a page aside."""
        self._writer.write_table(page)

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
