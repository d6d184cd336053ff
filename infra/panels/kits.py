"""The JavaScript projects that run inside the CRMs: their packages and their npm scripts."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.panels.node import Node

_STAMP: Final = ".installed"
_UNREACHED: Final = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH")


class NoPackagesError(RuntimeError):
    """npm could not fetch what the lock file names; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One project with a package.json, the scripts that test it, and the one that builds its preview."""

    name: str
    folder: Path
    tests: tuple[str, ...] = ("lint", "test")
    build: str = "build"

    @property
    def here(self) -> bool:
        """Whether the project is in this checkout."""
        return (self.folder / "package.json").exists()


def kits(root: Path) -> tuple[Kit, ...]:
    """Both panels' projects, whether they are there or not."""
    return (
        Kit(name="Salesforce panel", folder=root / "connectors" / "salesforce" / "package"),
        Kit(name="HubSpot app", folder=root / "connectors" / "hubspot" / "app"),
    )


def provide(kit: Kit, node: Node) -> bool:
    """Have `npm ci` install what the kit's lock names, when the lock or Node is another than before.

    Gives whether it was necessary. Raises NoPackagesError with npm's own words when it fails."""
    stamp = kit.folder / "node_modules" / _STAMP
    wanted = _fingerprint(kit, node)
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    command = [*node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=kit.folder, env=node.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoPackagesError(_why(kit, done.stderr or done.stdout))
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)
    return True


def run(kit: Kit, node: Node, script: str) -> int:
    """Run one npm script of the kit to its end, its output shown as it comes; gives its exit code."""
    command = [*node.npm, "run", "--silent", script]
    return subprocess.run(command, cwd=kit.folder, env=node.environment(), check=False).returncode


def _fingerprint(kit: Kit, node: Node) -> str:
    """What the installed packages depend on."""
    digest = hashlib.sha256(node.version.encode())
    for name in ("package.json", "package-lock.json", ".npmrc"):
        file = kit.folder / name
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def _why(kit: Kit, said: str) -> str:
    """npm's failure in one sentence, and what to do about it."""
    lines = [line for line in said.strip().splitlines() if "complete log of this run" not in line]
    told = "\n".join(lines[-8:])
    if any(code in said for code in _UNREACHED):
        return (
            f"The packages of the {kit.name} are not installed, and npm reaches no registry. "
            f"Connect this machine, or name a registry that it reaches: npm config set registry URL\n{told}"
        )
    return f"`npm ci` failed for the {kit.name}. Its package.json and package-lock.json must agree.\n{told}"
