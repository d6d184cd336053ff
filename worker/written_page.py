"""A page for people: into a file, and into their browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from connectors.errors import InputError


def write_page(text: str, file: Path) -> Path:
    """The file with the page in it, absolute. Raises InputError where it can't be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the page can't be written: {error.strerror}.",
            record=str(file),
            fix="name another file with --out",
        ) from error
    return file.absolute()


def open_page(file: Path) -> bool:
    """Whether a browser took it."""
    return webbrowser.open(file.absolute().as_uri())
