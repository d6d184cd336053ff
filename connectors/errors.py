"""Every error that Upswell raises on purpose, drawn as a tree.

    UpswellError                 what happened, on which record or file, what to do next
    ├── UsageError               the user can fix it: exit code 2
    │   ├── SettingError         a setting is missing or wrong; lists where it was looked for
    │   ├── InputError           a file or table that we were given can't be used
    │   └── SetupError           the CRM lacks a field, an object or a permission that we need
    │       └── AbsentError      this CRM, or this org's edition of it, has no such thing to grant
    ├── RemoteError              the other side failed: exit code 1
    │   ├── TransientError       it may pass: retried with backoff
    │   │   ├── QuotaError       the API budget is used up: paused until it is back
    │   │   └── AmbiguousError   the reply was lost: the write may have happened, so read back first
    │   └── TerminalError        it won't pass by itself
    │       └── LoginError       the CRM refuses our credentials
    └── StateError               the ledger forbids it (plan expired, applied twice, another org): exit 1
        └── LedgerError          the ledger itself can't be reached or written just now

A single refused row is no exception: it is a `RowResult` (connectors/crm.py) and the run goes on.
"""

from __future__ import annotations

from typing import ClassVar, Final

CONTENT: Final = frozenset({400, 409, 413, 422})
"""HTTP statuses that are about what was sent, not about who sent it or where to."""


class UpswellError(Exception):
    """An error with a message for people: what happened, on which record, and the fix."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, record: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.record = record
        self.fix = fix

    def __str__(self) -> str:
        parts = [self.message if self.record is None else f"{self.record}: {self.message}"]
        if self.fix is not None:
            parts.append(f"Fix: {self.fix}")
        return " ".join(parts)


class UsageError(UpswellError):
    """The user can fix it."""

    exit_code = 2
    code = "usage"


class SettingError(UsageError):
    """A setting is missing or wrong; `searched` names the places looked at, in order."""

    code = "setting"

    def __init__(self, message: str, *, setting: str, searched: tuple[str, ...], fix: str) -> None:
        looked = f" Looked in: {', then '.join(searched)}." if searched else ""
        super().__init__(f"{message}{looked}", record=setting, fix=fix)
        self.setting = setting
        self.searched = searched


class InputError(UsageError):
    """A file or table that we were given can't be used; `record` is the file and line."""

    code = "input"


class SetupError(UsageError):
    """The CRM lacks a field, an object or a permission that we need."""

    code = "setup"


class AbsentError(SetupError):
    """This CRM, or this org's edition of it, has no such thing: no permission would show it."""

    code = "absent"


class RemoteError(UpswellError):
    """The other side failed; `status` is its HTTP status where there was one."""

    code = "remote"

    def __init__(
        self,
        message: str,
        *,
        record: str | None = None,
        fix: str | None = None,
        status: int | None = None,
        vendor_code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, record=record, fix=fix)
        self.status = status
        self.vendor_code = vendor_code
        self.retry_after = retry_after


class TransientError(RemoteError):
    """It may pass: retried with backoff, honouring `retry_after` (seconds)."""

    code = "transient"


class QuotaError(TransientError):
    """The CRM's API budget is used up for now."""

    code = "quota"


class AmbiguousError(TransientError):
    """The reply to a write was lost: it may have happened, so it is read back before any resend."""

    code = "ambiguous"


class TerminalError(RemoteError):
    """The other side refuses, and will refuse again."""

    code = "terminal"

    @property
    def is_about_content(self) -> bool:
        """Whether something among what was sent is at fault: without it, the rest may pass."""
        return self.status in CONTENT


class LoginError(TerminalError):
    """The CRM refuses our credentials."""

    exit_code = 2
    code = "login"


class StateError(UpswellError):
    """The ledger forbids it: a plan expired, was applied already, or belongs to another org."""

    code = "state"


class LedgerError(StateError):
    """The ledger can't be reached or written just now: what was committed is there, nothing else is."""

    code = "ledger"
