"""What every test may use, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

REQUIRE_ALL = os.environ.get("UPSWELL_REQUIRE_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With UPSWELL_REQUIRE_ALL=1 a skipped test is a failed one, its reason kept."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although UPSWELL_REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's own UPSWELL_ settings."""
    for name in [
        name for name in os.environ if name.startswith("UPSWELL_") and name != "UPSWELL_REQUIRE_ALL"
    ]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def binary() -> Callable[[str, str], Path]:
    """Find a program on this machine, or skip and say which Debian package holds it."""

    def find(name: str, package: str) -> Path:
        found = shutil.which(name)
        if found is None:
            versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
            found = str(versions[-1]) if versions else None
        if found is None:
            pytest.skip(f"{name} is not on this machine; it is in Debian's package {package}")
        return Path(found)

    return find
