"""The versions of Upswell, Python and the libraries that a model was made with and depends on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

LIBRARIES: Final = ("upswell", "catboost", "numpy", "pyarrow", "scipy", "duckdb", "ibis-framework")


def made_with() -> Mapping[str, str]:
    """Name -> version, Python among them; "unknown" for code that runs without being installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
