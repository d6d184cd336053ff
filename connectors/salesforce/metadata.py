"""Our fields, objects and permission sets as a Metadata API package: a zip of XML, made in memory.

Metadata API Developer Guide: "package.xml Manifest File", "Deleting Components from an Organization".
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import FieldSpec, ObjectSpec, permission_specs
from connectors.salesforce.elements import add, packed, root_of
from connectors.salesforce.metadata_fields import fill_field, home_of
from connectors.salesforce.metadata_objects import custom_object
from connectors.salesforce.metadata_sets import permission_set

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a zip of the same fields is the same zip


def package(
    create: Sequence[FieldSpec],
    granted: Sequence[FieldSpec],
    *,
    version: str,
    tracked: Collection[str] = (),
    sets: Collection[str] | None = None,
    objects: Sequence[ObjectSpec] = (),
) -> bytes:
    """A deployable zip: the objects and fields to create, and permission sets over the granted fields.

    `objects` come with all their fields; `tracked` are keys of the fields whose history is kept; `sets` are
    the names of the permission sets, all of ours unless they are given. A deployed set replaces its
    predecessor."""
    files: dict[str, Element] = {}
    for each in objects:
        files[f"objects/{each.salesforce}.object"] = custom_object(each, with_fields=True)
    for home in sorted({home_of(spec) for spec in create}):
        root = root_of("CustomObject")
        for spec in create:
            if home_of(spec) == home:
                is_tracked = spec.track_history and spec.key in tracked
                fill_field(SubElement(root, "fields"), spec, is_tracked=is_tracked)
        files[f"objects/{home}.object"] = root
    names = []
    for name, each_set in permission_specs().items():
        made = permission_set(each_set, granted) if sets is None or name in sets else None
        if made is not None:
            files[f"permissionsets/{name}.permissionset"] = made
            names.append(name)
    members = {
        "CustomObject": [each.salesforce for each in objects],
        "CustomField": [f"{home_of(spec)}.{spec.salesforce}" for spec in create],
        "PermissionSet": names,
    }
    files["package.xml"] = _manifest(members, version)
    return _zipped(files)


def removal(doomed: Mapping[str, Sequence[str]], *, version: str) -> bytes:
    """A deployable zip that deletes these components, by their kind ("Deleting Components")."""
    return _zipped({"package.xml": _manifest({}, version), "destructiveChanges.xml": _manifest(doomed, None)})


def _zipped(files: Mapping[str, Element]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, root in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, packed(root))
    return buffer.getvalue()


def _manifest(members: Mapping[str, Sequence[str]], version: str | None) -> Element:
    """A manifest: what is deployed, or without a version what is deleted."""
    root = root_of("Package")
    for kind, names in members.items():
        if names:
            types = SubElement(root, "types")
            for name in names:
                add(types, "members", name)
            add(types, "name", kind)
    if version is not None:
        add(root, "version", version)
    return root
