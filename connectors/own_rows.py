"""Values of rows in objects of our own: what is added, and how much room the org has for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.crm import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDraft:
    """A row to add to an object of our own; `values` by our fields' keys, the row's `key` among them."""

    key: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the org has left for rows of custom objects: so many rows, and how the vendor says it."""

    rows: int
    said: str
