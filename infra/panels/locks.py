"""The panels' lock files without addresses: npm also notes where to give money to each package's makers.

`make lock` resolves them anew and runs this; `npm ci` needs nothing of it.
"""

from __future__ import annotations

import json
from typing import Final

from infra.panels.kits import kits
from infra.panels.run import ROOT

NOTED: Final = "funding"


def plain(text: str) -> str:
    """The lock file's text, each package without the addresses of its funding."""
    held = json.loads(text)
    for package in held["packages"].values():
        package.pop(NOTED, None)
    return json.dumps(held, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrite every lock file of the kits that holds addresses."""
    for kit in kits(ROOT):
        file = kit.folder / "package-lock.json"
        text = file.read_text(encoding="utf-8")
        if plain(text) != text:
            file.write_text(plain(text), encoding="utf-8")


if __name__ == "__main__":
    main()
