"""What a browser makes of a panel's preview: a page around the bundle, its DOM, its picture."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

_QUIET: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-dev-shm-usage"),
)
_NOTHING_FROM_OUTSIDE: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


def page(bundle: str, preview: Mapping[str, Any]) -> str:
    """A page that shows the bundle with what `window.UPSWELL_PREVIEW` is to be."""
    given = json.dumps(dict(preview)).replace("<", "\\u003c")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Preview</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FROM_OUTSIDE}"><div id="panel"></div>'
        f"<script>window.UPSWELL_PREVIEW = {given}</script><script>{bundle}</script></html>"
    )


def rendered(chromium: Path, shown: str, folder: Path, *, width: int = 1200) -> str:
    """The page's DOM after its scripts have run, as HTML; `folder` takes page and profile."""
    return _run(chromium, shown, folder, "--dump-dom", f"--window-size={width},800")


def pictured(chromium: Path, shown: str, folder: Path, png: Path, *, width: int, height: int) -> None:
    """A picture of the page in `png`, twice as fine as its pixels."""
    size = f"--window-size={width},{height}"
    _run(chromium, shown, folder, f"--screenshot={png}", size, "--force-device-scale-factor=2")


def _run(chromium: Path, shown: str, folder: Path, *what: str) -> str:
    file = folder / "page.html"
    file.write_text(shown, encoding="utf-8")
    command = [
        *(str(chromium), *_QUIET, f"--user-data-dir={folder / 'profile'}"),
        *("--virtual-time-budget=5000", *what, file.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def words(html: str) -> str:
    """What a reader reads of it, pieces parted by single blanks: text outside of scripts and style sheets."""
    reader = _Reader()
    reader.feed(html)
    return " ".join(" ".join(reader.said).split())


class _Reader(HTMLParser):
    """Takes down the text between tags."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # a hook
        self.within = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # likewise
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within not in {"script", "style", "title"}:
            self.said.append(data)
