"""A folder for objects of stores and rows of warehouses while they are read; empty before and gone after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sync.connect import store_settings, warehouse_tables
from sync.settings import Settings
from sync.usage_days import partials_by_key

if TYPE_CHECKING:
    from connectors.exports.depot import Depot, Held


@contextmanager
def open_depot(settings: Settings, held: Held, *, latest: datetime) -> Iterator[Depot]:
    """A depot in the folder for temporary files (TMPDIR), which has to hold what is new of one reading."""
    from connectors.exports.depot import Depot

    with TemporaryDirectory(prefix="upswell-") as folder:
        yield Depot(
            spool=Path(folder),
            held=held,
            stores=store_settings(settings),
            warehouses={table.pattern: table for table in warehouse_tables(settings)},
            reduce=partials_by_key,
            latest=latest,
        )
