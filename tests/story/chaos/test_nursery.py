"""Processes that are forked ready-made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.chaos.nursery import Nursery


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """One that knows the checker."""
    with Nursery(("infra.chaos.checker",), tmp_path_factory.mktemp("nursery")) as made:
        yield made


def test_a_process_tells_how_it_ended(nursery: Nursery) -> None:
    """Its exit code, or that of an exception, with what it said."""
    assert nursery.start("os:getcwd").wait(30) == 0
    failed = nursery.start("os:mkdir", path="/proc/none")
    assert failed.wait(30) == 1
    assert "/proc/none" in failed.said()
    assert nursery.start("builtins:exit", code=3).wait(30) == 3


def test_a_killed_process_is_told_by_its_signal(nursery: Nursery) -> None:
    """And the others go on."""
    killed, living = nursery.start("signal:pause"), nursery.start("signal:pause")
    killed.kill()
    assert killed.wait(30) == -9
    assert living.status is None
    living.terminate()
    assert living.wait(30) == -15


def test_processes_end_with_the_nursery(tmp_path: Path) -> None:
    """None is left behind."""
    with Nursery((), tmp_path) as made:
        child = made.start("signal:pause")
    assert child.status == -9
