"""The panels as people see them in their CRM, in one local page: the components' own code, the record's data.

Each panel runs in a frame of its own, as it does in the CRM. Whoever looks may choose as whom: with every
permission, without reasons, or without any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import SetupError
from connectors.fields import group_specs
from connectors.shown import KINDS, editable, readable, shown

if TYPE_CHECKING:
    from sync.panel_record import Held, PanelRecord

CSM: Final = group_specs()["Upswell_CSM"].sets
VIEWERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "csm": ("A CSM with every permission", CSM),
    "no-reasons": ("Without “Read reasons”", tuple(name for name in CSM if name != "Upswell_Read_Reasons")),
    "scores": ("“Read scores” alone", ("Upswell_Read_Scores",)),
    "nobody": ("Without any permission", ()),
}
PLACES: Final[dict[str, tuple[tuple[str, str, str, int], ...]]] = {
    "salesforce": (
        ("record", "Large", "Account page", 720),
        ("record", "Small", "On a phone", 390),
        ("home", "Large", "Home page", 720),
    ),
    "hubspot": (
        ("tab", "Large", "Company, tab", 760),
        ("sidebar", "Small", "Company, sidebar", 350),
        ("settings", "Large", "Settings", 760),
    ),
}
"""Where each panel may stand: place, form factor, its name, and how wide it is there (pixels)."""
_NAMES: Final = {"salesforce": "Salesforce", "hubspot": "HubSpot"}
_OBJECTS: Final = {"salesforce": "Account", "hubspot": "COMPANY"}


def page(found: PanelRecord, *, viewer: str = "csm", kinds: tuple[str, ...] = KINDS) -> str:
    """The whole page, nothing loaded from anywhere. Raises SetupError where a built panel is missing."""
    data = {
        "previews": {
            kind: {name: _preview(kind, found, sets) for name, (_, sets) in VIEWERS.items()} for kind in kinds
        },
        "bundles": {kind: _bundle(kind) for kind in kinds},
        "places": {kind: PLACES[kind] for kind in kinds},
        "names": {kind: _NAMES[kind] for kind in kinds},
        "viewers": {name: title for name, (title, _) in VIEWERS.items()},
        "viewer": viewer,
    }
    parts = {
        "name": escape(found.held.account.name),
        "script": _file("page.js"),
        "data": _script_safe(data),
    }
    return _filled(_file("page.html"), parts)


def frame(
    found: PanelRecord, kind: str, *, viewer: str = "csm", place: str = "", form_factor: str = "Large"
) -> str:
    """One panel alone, as the frame holds it. Raises SetupError where its built code is missing."""
    preview = _preview(kind, found, VIEWERS[viewer][1])
    preview |= {"place": place or PLACES[kind][0][0], "formFactor": form_factor}
    return _filled(
        _file("frame.html"), {"preview": _script_safe(preview), "bundle": _code_safe(_bundle(kind))}
    )


def _preview(kind: str, found: PanelRecord, sets: tuple[str, ...]) -> dict[str, Any]:
    """What a person with these permission sets is given, in the vendor's own names and values."""
    keys = readable(sets)
    return {
        "record": _named(kind, found.held),
        "fields": _fields(kind, found.held, keys),
        "editable": [*shown(kind, {}, editable(sets))],
        "locale": "en-US",
        "currency": found.held.currency,
        "today": found.today.isoformat(),
        "formFactor": "Large",
        "place": PLACES[kind][0][0],
        "accounts": [{**_named(kind, each), "fields": _fields(kind, each, keys)} for each in found.best],
        "status": {"scored": found.scored},
    }


def _fields(kind: str, held: Held, keys: Collection[str]) -> dict[str, Any]:
    """What may be read of a record; on Salesforce with its currency, which everybody may read."""
    fields = shown(kind, held.values, keys)
    return fields | {"CurrencyIsoCode": held.currency} if kind == "salesforce" and fields else fields


def _named(kind: str, held: Held) -> dict[str, str]:
    return {"id": held.record_id, "name": held.account.name, "object": _OBJECTS[kind]}


def _bundle(kind: str) -> str:
    try:
        return _file(f"{kind}.js")
    except FileNotFoundError as error:
        raise SetupError(
            f"the built panel for {_NAMES[kind]} is missing.",
            record=f"worker/panels/{kind}.js",
            fix="make panels",
        ) from error


def _file(name: str) -> str:
    return resources.files("worker").joinpath("panels", name).read_text(encoding="utf-8")


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with its parts, all at once: what stands in a part is no place for another."""
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], found[0]), template)


def _script_safe(data: object) -> str:
    """JSON that no text in it can end the script element with."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _code_safe(code: str) -> str:
    return code.replace("</script", "<\\/script")
