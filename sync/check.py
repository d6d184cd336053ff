"""One thing that `doctor` looked at: what was found, whether it is good, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.errors import UpswellError


class Verdict(StrEnum):
    """How a check ended: fine, worth knowing, or to be fixed before the loop can run."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at; `fix` says what to do unless it is fine."""

    area: str
    name: str
    verdict: Verdict
    found: str
    fix: str | None = None


def fine(area: str, name: str, found: str) -> Check:
    """A check that found nothing wrong."""
    return Check(area=area, name=name, verdict=Verdict.OK, found=found)


def note(area: str, name: str, found: str, fix: str) -> Check:
    """A check that found something worth knowing."""
    return Check(area=area, name=name, verdict=Verdict.WARN, found=found, fix=fix)


def fault(area: str, name: str, found: str, fix: str | None) -> Check:
    """A check that found what must be fixed."""
    return Check(area=area, name=name, verdict=Verdict.FAIL, found=found, fix=fix)


def fault_of(area: str, name: str, error: UpswellError) -> Check:
    """A check that could not be made, because of this error."""
    found = error.message if error.record is None else f"{error.record}: {error.message}"
    return fault(area, name, found, error.fix)
