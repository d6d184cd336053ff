"""What is ours as a Metadata API package: a zip of XML and components, made in memory.

Metadata API Developer Guide: "package.xml Manifest File", "Deleting Components from an Organization".
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import FieldSpec, ObjectSpec, permission_specs
from connectors.salesforce.bundles import KIND as BUNDLE
from connectors.salesforce.elements import add, packed, root_of
from connectors.salesforce.metadata_fields import fill_field, home_of
from connectors.salesforce.metadata_objects import custom_object
from connectors.salesforce.metadata_sets import permission_set
from connectors.salesforce.parts import Part

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a zip of the same fields is the same zip


def package(
    create: Sequence[FieldSpec],
    granted: Sequence[FieldSpec],
    *,
    version: str,
    tracked: Collection[str] = (),
    sets: Collection[str] | None = None,
    objects: Sequence[ObjectSpec] = (),
    parts: Sequence[Part] = (),
) -> bytes:
    """A deployable zip: the objects, fields and parts to create, and permission sets over the granted fields.

    `objects` come with all their fields; `tracked` are keys of the fields whose history is kept; `sets` are
    the names of the permission sets, all of ours unless they are given. A deployed set replaces its
    predecessor."""
    homes = {each.salesforce: custom_object(each, with_fields=True) for each in objects}
    for spec in sorted(create, key=home_of):
        root = homes.setdefault(home_of(spec), root_of("CustomObject"))
        is_tracked = spec.track_history and spec.key in tracked
        fill_field(SubElement(root, "fields"), spec, is_tracked=is_tracked)
    members: dict[str, list[str]] = {
        "CustomObject": [each.salesforce for each in objects],
        "CustomField": [f"{home_of(spec)}.{spec.salesforce}" for spec in create],
        "PermissionSet": [],
    }
    files: dict[str, bytes] = {}
    for name, each_set in permission_specs().items():
        made = permission_set(each_set, granted) if sets is None or name in sets else None
        if made is not None:
            files[f"permissionsets/{name}.permissionset"] = packed(made)
            members["PermissionSet"].append(name)
    for part in parts:
        files |= _files_of(part, homes)
        members.setdefault(part.kind.removesuffix("Folder"), []).append(part.name)
    files |= {f"objects/{home}.object": packed(root) for home, root in homes.items()}
    files["package.xml"] = packed(_manifest(members, version))
    return _zipped(files)


def removal(doomed: Mapping[str, Sequence[str]], *, version: str) -> bytes:
    """A deployable zip that deletes these components, by their kind ("Deleting Components")."""
    files = {
        "package.xml": packed(_manifest({}, version)),
        "destructiveChanges.xml": packed(_manifest(doomed, None)),
    }
    return _zipped(files)


def _files_of(part: Part, homes: dict[str, Element]) -> dict[str, bytes]:
    """The files of a part; a list view goes into the file of its object instead."""
    if part.kind == BUNDLE:
        return {f"lwc/{part.name}/{name}": content for name, content in part.files.items()}
    assert part.root is not None
    if part.kind == "ListView":
        root = homes.setdefault(part.name.partition(".")[0], root_of("CustomObject"))
        SubElement(root, "listViews").extend(part.root)
        return {}
    return {part.path: packed(part.root)}


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _manifest(members: Mapping[str, Iterable[str]], version: str | None) -> Element:
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
