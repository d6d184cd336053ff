"""What the settings map, held against the account before anything is read."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import pyarrow as pa

from connectors.errors import SetupError, TerminalError
from connectors.hubspot.links import Links
from connectors.hubspot.schema import Schemas
from connectors.hubspot.tables import ASSOCIATED, link_of
from connectors.mappings import Mappings, fits, misfit_of

_OBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NAMES: Final = "Name the object as HubSpot's API does: companies, contacts, deals, p123_cars or 2-456."


def check_mapping(
    table: str,
    objects: Collection[str],
    stamps: Collection[str],
    *,
    mappings: Mappings,
    schemas: Schemas,
    links: Links,
) -> None:
    """Raise SetupError for a column that is not ours, and for a property or association that is missing from
    all of these objects or can't fill its column."""
    for where, path, kind in mappings.checked(table, stamps):
        if path.startswith(ASSOCIATED):
            _check_association(where, path, kind, objects, links)
            continue
        held = {name: schemas[name].schema.fields[path] for name in objects if schemas[name].has(path)}
        if not held:
            raise SetupError(
                f"{' and '.join(objects)} have no property {path}.",
                record=where,
                fix="Correct the mapping (internal name, not label), or restore the property.",
            )
        for name, found in held.items():
            if not fits(kind, found):
                raise misfit_of(where, name, path, found, kind)
    mappings.constants(table)


def _check_association(
    where: str, path: str, kind: pa.DataType, objects: Collection[str], links: Links
) -> None:
    link = link_of(path)
    if not pa.types.is_string(kind):
        raise SetupError(
            f"{path} is the id of another record.", record=where, fix="Map it to a column for an id."
        )
    if _OBJECT.fullmatch(link.target) is None:
        raise SetupError("This is no object name.", record=where, fix=_NAMES)
    for name in objects:
        try:
            labels = {each.label for each in links.types(name, link.target)}
        except TerminalError as error:
            raise SetupError(
                f"{name} are not associated with {link.target}: {error.message}",
                record=where,
                fix=_NAMES,
            ) from None
        if link.label and link.label.casefold() not in {label.casefold() for label in labels}:
            raise SetupError(
                f"Between {name} and {link.target} there is no label {link.label}.",
                record=where,
                fix=f"Use one of: {', '.join(sorted(labels - {''})) or 'none, which is any association'}.",
            )
