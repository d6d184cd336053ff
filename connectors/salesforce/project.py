"""The project's files of metadata, written from fields.toml and views.toml: the elements that an install has.

`python -m connectors.salesforce.project` writes them. Field history is not among them: an install asks the
org first how much room it has, and a project can't.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from connectors.fields import FieldSpec, field_specs, object_specs, permission_specs
from connectors.salesforce.elements import laid_out, root_of
from connectors.salesforce.metadata_fields import fill_field, home_of
from connectors.salesforce.metadata_objects import custom_object
from connectors.salesforce.metadata_report_types import report_types
from connectors.salesforce.metadata_reports import reports
from connectors.salesforce.metadata_sets import groups, permission_set
from connectors.salesforce.metadata_views import list_views
from connectors.salesforce.parts import Part

HOME: Final = Path(__file__).parent / "package"
DEPLOYED: Final = "force-app/main/default"
APART: Final = "unpackaged/main/default"  # reports, which an org may want or not
OURS: Final = {  # the folders whose every file comes from here
    DEPLOYED: ("objects", "permissionsets", "permissionsetgroups", "reportTypes"),
    APART: ("reports", "dashboards"),
}


def files() -> Mapping[str, bytes]:
    """Every file by its path in the project."""
    specs, objects = list(field_specs().values()), list(object_specs().values())
    every = [*specs, *(field for each in objects for field in each.fields.values())]
    made = dict(_field(spec) for spec in every)
    for each in objects:
        made[f"objects/{each.salesforce}/{each.salesforce}.object-meta.xml"] = laid_out(
            custom_object(each, with_fields=False)
        )
    for name, spec in permission_specs().items():
        held = permission_set(spec, every)
        if held is not None:
            made[f"permissionsets/{name}.permissionset-meta.xml"] = laid_out(held)
    parts = [*groups(permission_specs()), *list_views(field_specs()), *report_types(specs, objects)]
    made |= _parts(parts)
    apart = _parts(reports(objects))
    return {
        **{f"{DEPLOYED}/{path}": content for path, content in made.items()},
        **{f"{APART}/{path}": content for path, content in apart.items()},
    }


def _field(spec: FieldSpec) -> tuple[str, bytes]:
    root = fill_field(root_of("CustomField"), spec, is_tracked=False)
    return f"objects/{home_of(spec)}/fields/{spec.salesforce}.field-meta.xml", laid_out(root)


def _parts(parts: Iterable[Part]) -> dict[str, bytes]:
    return {part.source: laid_out(part.root) for part in parts if part.root is not None}


def write(home: Path = HOME) -> None:
    """Write them, and take away what is no longer ours."""
    for root, folders in OURS.items():
        for folder in folders:
            shutil.rmtree(home / root / folder, ignore_errors=True)
    for path, content in files().items():
        place = home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


if __name__ == "__main__":
    write()
