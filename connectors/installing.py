"""What an install is asked for, and what it found and did: the values that travel."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What an install makes beside fields and objects.

    `views` are what people look at: lists, and on Salesforce components, report types and permission set
    groups; `reports` are examples, where the CRM takes them."""

    views: bool = False
    reports: bool = False


NO_EXTRAS = Extras()


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

    def and_then(self, later: InstallReport) -> InstallReport:
        """This one and what came after it."""
        steps, warnings = (*self.steps, *later.steps), (*self.warnings, *later.warnings)
        return InstallReport(steps=steps, applied=self.applied, warnings=warnings)
