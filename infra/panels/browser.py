"""What a browser makes of a panel's preview: a page around the bundle, and its DOM by headless Chromium."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
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


def rendered(chromium: Path, shown: str, folder: Path) -> str:
    """The page's DOM after its scripts have run, as HTML; `folder` takes page and profile."""
    file = folder / "page.html"
    file.write_text(shown, encoding="utf-8")
    command = [
        *(str(chromium), *_QUIET, f"--user-data-dir={folder / 'profile'}"),
        *("--virtual-time-budget=5000", "--dump-dom", file.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
