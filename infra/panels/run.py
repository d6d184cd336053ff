"""`python -m infra.panels.run test|build`: both panels' tests, or the previews that `upswell panel` shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from infra.panels.kits import Kit, NoPackagesError, kits, provide, run
from infra.panels.node import NoNodeError, find

ROOT: Final = Path(__file__).parents[2]


def main(task: str, root: Path = ROOT) -> int:
    """Do it for each project that is there; gives the exit code.

    Tests that can't run for want of Node or its packages are said to be skipped, and are a failure under
    UPSWELL_REQUIRE_ALL=1. A build that can't run is always one."""
    required = task == "build" or os.environ.get("UPSWELL_REQUIRE_ALL") == "1"
    here = [kit for kit in kits(root) if kit.here]
    failed: list[str] = []
    skipped: list[str] = []
    for kit in here:
        try:
            failed += [f"{kit.name}: {script}" for script in _done(kit, task, root)]
        except (NoNodeError, NoPackagesError) as error:
            print(f"{kit.name}: NOT RUN. {error}", flush=True)
            skipped.append(kit.name)
    passed = [kit.name for kit in here if kit.name not in skipped]
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
        return 1
    if skipped and required:
        print(f"failed: {', '.join(skipped)} must run here, and could not", flush=True)
        return 1
    if skipped:
        print(f"skipped: {', '.join(skipped)}; UPSWELL_REQUIRE_ALL=1 makes that a failure", flush=True)
    print(f"{task} of the panels: {', '.join(passed) or 'none'}", flush=True)
    return 0


def _done(kit: Kit, task: str, root: Path) -> list[str]:
    """Run the kit's scripts for a task; gives those that failed."""
    node = find(root)
    fetched = "packages installed" if provide(kit, node) else "packages as before"
    print(f"{kit.name}: Node {node.version} of {node.origin}, {fetched}", flush=True)
    scripts = kit.tests if task == "test" else (kit.build,)
    return [script for script in scripts if run(kit, node, script)]


if __name__ == "__main__":
    if sys.argv[1:] not in (["test"], ["build"]):
        sys.exit("say what to do: python -m infra.panels.run test|build")
    sys.exit(main(sys.argv[1]))
