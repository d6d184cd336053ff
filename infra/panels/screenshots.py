"""The README's pictures of the panels: the demo's company, scored, a week later scored again, and drawn.

`make screenshots` writes them to docs/images.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.panels.browser import pictured, rendered
from sync.config import load
from sync.panel_record import PanelRecord, read_panel
from sync.store.scores import latest_scoring, load_scores
from worker.loop_home import make_loop
from worker.panel_page import frame
from worker.sandbox_folder import open_sandbox

if TYPE_CHECKING:
    from sync.loop import Loop

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
WEEKS: Final = 1  # after which a score has something to have moved from; more at once stops at the size guard
RISEN: Final = 2  # points of 100 from which a picture of what moved is worth it
SHOTS: Final = (
    ("salesforce-account", "salesforce", "csm", "record", "Large", 720),
    ("salesforce-phone", "salesforce", "csm", "record", "Small", 390),
    ("salesforce-home", "salesforce", "csm", "home", "Large", 720),
    ("salesforce-no-reasons", "salesforce", "no-reasons", "record", "Large", 720),
    ("salesforce-nobody", "salesforce", "nobody", "record", "Large", 720),
    ("hubspot-tab", "hubspot", "csm", "tab", "Large", 760),
    ("hubspot-sidebar", "hubspot", "csm", "sidebar", "Small", 350),
)
"""Name, whose panel, seen by whom, where, form factor and width in pixels."""
_HEIGHT: Final = """<style>body {{ width: {width}px }}</style><script>
const tell = () => {{ document.documentElement.dataset.height = document.body.scrollHeight; }};
setInterval(tell, 50);
</script>"""


def main(accounts: int = 2000) -> None:
    """Make the company, run the loop twice, and draw."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium on this machine: install Debian's package chromium, or put one on the PATH")
    with tempfile.TemporaryDirectory(prefix="upswell-demo-") as name:
        company = Path(name) / "company"
        _upswell("demo", "--keep", str(company), "--accounts", str(accounts))
        _upswell("sandbox", "advance", "--data", str(company), "--weeks", str(WEEKS))
        with open_sandbox(company):
            _upswell("--config", str(company / "upswell.toml"), "run")
            loop = make_loop(load(company / "upswell.toml", {}))
            try:
                found = best(loop)
            finally:
                loop.close()
        draw(found, Path(chromium), Path(name))


def draw(found: PanelRecord, chromium: Path, folder: Path) -> None:
    """Every picture of SHOTS, of this record; `folder` takes what the browser leaves."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, kind, viewer, place, form_factor, width in SHOTS:
        shown = frame(found, kind, viewer=viewer, place=place, form_factor=form_factor) + _HEIGHT.format(
            width=width
        )
        dom = rendered(chromium, shown, folder, width=width)
        height = int(re.findall(r'data-height="(\d+)"', dom)[-1])
        png = IMAGES / f"{name}.png"
        pictured(chromium, shown, folder, png, width=width, height=height + 8)
        sys.stdout.write(f"{png.relative_to(IMAGES.parents[1])}: {width} × {height}\n")


def best(loop: Loop) -> PanelRecord:
    """The first account with news: a score that rose, reasons on both sides, money in the company's own."""
    scoring = latest_scoring(loop.store)
    assert scoring is not None
    rows = load_scores(loop.store, scoring.run_id).to_pylist()
    ranked = sorted(
        (row for row in rows if row["priority"] and row["crm_id"]), key=lambda row: row["priority"]
    )
    risen = [row for row in ranked if row["moved"] is not None and row["moved"]["points"] > RISEN]
    told = [row for row in risen if len(row["reasons"]) == 3 and row["against"] and row["health"] == "green"]
    found = (read_panel(loop, row["account_id"]) for row in (*told, *ranked))
    return next(each for each in found if each.held.currency == loop.settings.company.currency)


def _upswell(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "worker", *arguments], check=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:2]))
