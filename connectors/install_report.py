"""What an install or a removal found, and what it did about it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallStep:
    """One thing an install would do or did: create, grant, update, keep, differs, remove."""

    object: str
    name: str
    action: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallReport:
    """What an install found and did; `applied` False means only planned."""

    steps: tuple[InstallStep, ...]
    applied: bool
    warnings: tuple[str, ...] = field(default=())
