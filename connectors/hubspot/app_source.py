"""What the HubSpot app takes from fields.toml and scopes.py, as its own source: `python -m` this writes it.

The app's TypeScript is uploaded to HubSpot and can't read our TOML. Cards and settings page are packaged
apart there (Developer documentation, "no-parent-imports"), so each has a file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from connectors.fields import FieldSpec, field_specs, permission_specs
from connectors.hubspot.paths import paths_of
from connectors.hubspot.scopes import SCOPES

APP: Final = Path(__file__).parent / "app" / "src" / "app"
API: Final = "2026-03"  # the dialect of the platform version that hsproject.json names
_UNSHOWN: Final = frozenset(
    {"probability", "priority", "reason_codes", *(f"arr_quarter_{number}" for number in range(1, 5))}
)
"""Fields for lists and reports; a card of ten seconds has no room for them."""
_HEAD: Final = "// Written by `python -m connectors.hubspot.app_source` from fields.toml, not by hand.\n"


def sources() -> Mapping[Path, str]:
    """The text of each file that is written from ours, by its path."""
    specs = [spec for spec in field_specs().values() if spec.object == "accounts"]
    shown = [spec for spec in specs if spec.key not in _UNSHOWN]
    path = f"export const COMPANIES = {_json(paths_of(API).records('companies'))};\n"
    config = APP / "app-hsmeta.json"
    return {
        APP / "cards" / "fields.ts": f"{_HEAD}\n{_fields(shown, options=True)}\n{path}",
        APP / "settings" / "fields.ts": f"{_HEAD}\n{_fields(specs, options=False)}\n{_access()}",
        config: _scoped(json.loads(config.read_text(encoding="utf-8"))),
    }


def _fields(specs: Iterable[FieldSpec], *, options: bool) -> str:
    """The properties by our key: name and label, and the labels of their options by value."""
    lines = ["export const FIELDS = {"]
    for spec in specs:
        parts = [f"name: {_json(spec.hubspot)}", f"label: {_json(spec.label)}"]
        if options and spec.options:
            pairs = ", ".join(f"{key}: {_json(label)}" for key, label in spec.options.items())
            parts.append(f"options: {{ {pairs} }}")
        lines.append(f"  {spec.key}: {{ {', '.join(parts)} }},")
    return "\n".join([*lines, "} as const;\n", "export type Key = keyof typeof FIELDS;\n"])


def _access() -> str:
    """Who should see or fill in what, as Salesforce's permission sets say; HubSpot has none of its own."""
    lines = ["export const ACCESS = ["]
    specs = field_specs()
    for spec in permission_specs().values():
        if spec.name == "Upswell_Integration":
            continue
        name = spec.label.removeprefix("Upswell ")
        view, edit = (
            ", ".join(_json(key) for key in keys if specs[key].object == "accounts")
            for keys in (spec.read, spec.edit)
        )
        lines.append(
            f"  {{ name: {_json(name)}, text: {_json(spec.description)}, view: [{view}], edit: [{edit}] }},"
        )
    return "\n".join([*lines, "] as const satisfies readonly Access[];\n", _ACCESS_TYPE])


_ACCESS_TYPE: Final = """\
export interface Access {
  readonly name: string;
  readonly text: string;
  readonly view: readonly Key[];
  readonly edit: readonly Key[];
}
"""


def _scoped(config: dict[str, Any]) -> str:
    """The app's configuration with the scopes that Upswell needs; a static token has required ones only.

    Those of custom objects are left out: an account whose tier has none could not install the app."""
    scopes = [scope.name for scope in SCOPES if ".custom." not in scope.name]
    config["config"]["auth"]["requiredScopes"] = scopes
    return json.dumps(config, indent=2) + "\n"


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write them."""
    for path, text in sources().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
