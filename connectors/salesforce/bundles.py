"""The Lightning web components of the package, as files to deploy: whatever bundles lie in the project.

Metadata API Developer Guide: "LightningComponentBundle".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from connectors.salesforce.parts import Part

KIND: Final = "LightningComponentBundle"
_ENDINGS: Final = (".js", ".html", ".css", ".svg", ".xml")  # what a bundle may hold


def home() -> Traversable:
    """The project's folder of metadata."""
    return resources.files("connectors.salesforce").joinpath("package/force-app/main/default")


@cache
def bundles() -> tuple[Part, ...]:
    """Our components by name, without their tests."""
    folder = home().joinpath("lwc")
    if not folder.is_dir():
        return ()
    found = sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: each.name)
    made = (Part(kind=KIND, name=each.name, files=_files(each)) for each in found)
    return tuple(part for part in made if f"{part.name}.js-meta.xml" in part.files)


def _files(folder: Traversable) -> Mapping[str, bytes]:
    held = (each for each in folder.iterdir() if each.is_file() and each.name.endswith(_ENDINGS))
    return {each.name: each.read_bytes() for each in sorted(held, key=lambda each: each.name)}
