"""Which format a file has, told by its content: the names that only one vendor's files have together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from connectors.errors import InputError
from connectors.exports.amplitude import AMPLITUDE
from connectors.exports.documents import document_of
from connectors.exports.layout import Format, Layout
from connectors.exports.mixpanel import MIXPANEL
from connectors.exports.parts import parts_of
from connectors.exports.pendo import PENDO
from connectors.exports.posthog import POSTHOG
from connectors.exports.segment import SEGMENT

if TYPE_CHECKING:
    from connectors.exports.spec import ExportSpec

TABLE: Final = "table"
VENDORS: Final[Mapping[str, Format]] = {
    vendor.name: vendor for vendor in (AMPLITUDE, MIXPANEL, SEGMENT, POSTHOG, PENDO)
}
NAMES: Final = ("auto", *VENDORS, TABLE)
"""What `format` may say."""


def vendor_of(names: Collection[str]) -> Format | None:
    """The vendor whose files have these columns or paths; None for a table of the company's own."""
    return next((vendor for vendor in VENDORS.values() if vendor.kind_of(names) is not None), None)


def recognise(spec: ExportSpec, path: Path) -> str:
    """The name of the format in which a file of the spec is read. Raises InputError when it can't be."""
    for part in parts_of(path):
        document = document_of(part, spec.encoding)
        if document is not None:
            return format_of(spec, document.names, part.name)
    return TABLE if spec.format == "auto" else spec.format


def format_of(spec: ExportSpec, names: Collection[str], source: str) -> str:
    """The name of the format for a file with these columns or paths.

    Raises InputError when the declared format, or the kind, is not what the file shows."""
    shown = vendor_of(names)
    if spec.format == TABLE or (spec.format == "auto" and (shown is None or spec.kind not in shown.kinds)):
        return TABLE
    vendor = shown if spec.format == "auto" else VENDORS[spec.format]
    assert vendor is not None
    if vendor.signature_of(spec.kind, names):
        return vendor.name
    found = None if shown is None else shown.kind_of(names)
    looks = "" if shown is None else f" It looks like {shown.title} of {found}."
    raise InputError(
        f"The file is not {vendor.title} of {spec.kind}.{looks} "
        f"Its columns: {', '.join(sorted(names)[:20]) or 'none'}.",
        record=source,
        fix='Correct format, kind or path in its [[exports]]; a table of your own has format = "table".',
    )


def layouts_of(spec: ExportSpec, name: str) -> tuple[Layout, ...]:
    """Where the format keeps the columns of the spec's kind, for each sort of row that tells it."""
    if name == TABLE:
        return (Layout(columns={column: (column,) for column in spec.schema.names}),)
    return VENDORS[name].kinds[spec.kind]


def finished(spec: ExportSpec, name: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of a file as the format has them when all of it is read."""
    finish = None if name == TABLE else VENDORS[name].finish.get(spec.kind)
    return iter(batches) if finish is None else finish(batches)
