"""Where exports are brought that lie elsewhere, and what is known of them already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.exports.spec import ExportSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from connectors.exports.warehouse import WarehouseTable

Held = Callable[[ExportSpec, str, int | None, str], str | None]
"""The sha256 of what lies at an address in a version, if it was read before as the spec reads it; else None.

The size, where it is known beforehand, has to be the same."""


Reduce = Callable[["ir.Table"], Mapping[str, "ir.Table"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """What [stores] says; empty endpoints are the vendors' own. `anonymous`: the buckets are public."""

    s3_endpoint: str = ""
    gcs_endpoint: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """An empty folder, what was read before, the stores' settings, and warehouses' tables by spec.path.

    `reduce` makes tables of days of events in their canonical columns, as expressions where the events lie;
    `latest` is now, by the later of our clock and the CRM's."""

    spool: Path
    held: Held
    stores: StoreSettings = StoreSettings()
    warehouses: Mapping[str, WarehouseTable] = field(default_factory=dict)
    reduce: Reduce | None = None
    latest: datetime | None = None
