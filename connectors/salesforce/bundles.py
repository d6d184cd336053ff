"""The Lightning web components of the package, as files to deploy: whatever bundles lie in the project.

Metadata API Developer Guide: "LightningComponentBundle".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from connectors.salesforce.panel_fields import MODULE, source
from connectors.salesforce.parts import Part

KIND: Final = "LightningComponentBundle"
_ENDINGS: Final = (".js", ".html", ".css", ".svg", ".xml")  # what a bundle may hold


def home() -> Traversable:
    """The project's folder of metadata."""
    return resources.files("connectors.salesforce").joinpath("package/force-app/main/default")


def bundles(own: Mapping[str, str] = MappingProxyType({})) -> tuple[Part, ...]:
    """Our components by name, without their tests. They read the fields that RevOps mapped in place of ours
    (`own`, by our key)."""
    if not own:
        return _as_they_lie()
    module = {MODULE.name: source(own).encode()}
    return tuple(
        replace(part, files={**part.files, **module}) if part.name == MODULE.stem else part
        for part in _as_they_lie()
    )


@cache
def _as_they_lie() -> tuple[Part, ...]:
    """The project's own files."""
    folder = home().joinpath("lwc")
    if not folder.is_dir():
        return ()
    found = sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: each.name)
    made = (Part(kind=KIND, name=each.name, files=_files(each)) for each in found)
    return tuple(part for part in made if f"{part.name}.js-meta.xml" in part.files)


def _files(folder: Traversable) -> Mapping[str, bytes]:
    held = (each for each in folder.iterdir() if each.is_file() and each.name.endswith(_ENDINGS))
    return {each.name: each.read_bytes() for each in sorted(held, key=lambda each: each.name)}
