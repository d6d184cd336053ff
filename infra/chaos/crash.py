"""Places at which a process that applies a plan may die, and how to make it die exactly there.

The product has no hooks for it: the functions are replaced in the process that is to die.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import sync.apply
from connectors.hubspot.crm import Hubspot
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.ingest import IngestJobs
from sync.claims import Claims

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(nth: int) -> Wrap:
    """Die at the nth call, before anything happens."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        def dying(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth:
                _die()
            return function(*args, **kwargs)

        return dying

    return wrap


def _after(nth: int) -> Wrap:
    """Die after the nth call that came to something."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        def dying(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            result = function(*args, **kwargs)
            calls += bool(result)
            if calls == nth:
                _die()
            return result

        return dying

    return wrap


def _in_keep(nth: int, *, committed: bool) -> None:
    """Die when the nth outcomes are kept: inside the transaction, or once it is committed."""
    keep = Claims.keep
    calls = 0

    def dying(self: Claims, outcomes: Sequence[Any], state: str, note: Callable[..., None]) -> None:
        nonlocal calls
        if not outcomes:
            return keep(self, outcomes, state, note)
        calls += 1
        is_last = calls == nth

        def noted(*args: Any) -> None:
            note(*args)
            if is_last and not committed:
                _die()

        result = keep(self, outcomes, state, noted)
        if is_last:
            _die()
        return result

    Claims.keep = dying  # type: ignore[method-assign]


def _replace(owner: Any, name: str, wrap: Wrap) -> None:
    setattr(owner, name, wrap(getattr(owner, name)))


def _replace_calls(wrap: Wrap) -> None:
    """Writes and new tasks of either vendor, counted together."""
    counted: list[Callable[..., Any]] = []

    def one_count(function: Callable[..., Any]) -> Callable[..., Any]:
        counted.append(function)
        place = len(counted) - 1
        return lambda *args, **kwargs: shared(place, *args, **kwargs)

    shared = wrap(lambda place, *args, **kwargs: counted[place](*args, **kwargs))
    for vendor in (Salesforce, Hubspot):
        for name in ("write", "create_tasks"):
            _replace(vendor, name, one_count)


POINTS: Final[dict[str, Callable[[int], None]]] = {
    "before_claim": lambda nth: _replace(Claims, "take", _before(nth)),
    "after_claim": lambda nth: _replace(Claims, "take", _after(nth)),
    "after_sending": lambda nth: _replace(Claims, "send", _after(nth)),
    "after_call": lambda nth: _replace_calls(_after(nth)),
    "inside_commit": lambda nth: _in_keep(nth, committed=False),
    "after_commit": lambda nth: _in_keep(nth, committed=True),
    "before_finish": lambda _nth: _replace(sync.apply, "finish_apply", _before(1)),
}
"""Each place by its name, and what mines it: the process dies when it comes there the nth time."""


def _by_job(mine: Callable[[int], None]) -> Callable[[int], None]:
    """Mine the way by a job, and make calls so small that a job is worth it for some dozens of records."""

    def mined(nth: int) -> None:
        Salesforce.capabilities = replace(Salesforce.capabilities, write_batch=5)
        mine(nth)

    return mined


JOB_POINTS: Final[dict[str, Callable[[int], None]]] = {
    "before_open": _by_job(lambda nth: _replace(IngestJobs, "open", _before(nth))),
    "after_open": _by_job(lambda nth: _replace(IngestJobs, "open", _after(nth))),
    "job_in_ledger": _by_job(lambda nth: _replace(Claims, "send", _after(nth + 1))),  # the first is a call
    "before_close": _by_job(lambda nth: _replace(IngestJobs, "close", _before(nth))),
    "after_close": _by_job(lambda nth: _replace(Claims, "wait", _before(nth))),
    "before_look": _by_job(lambda nth: _replace(IngestJobs, "look", _before(nth))),
    "after_look": _by_job(lambda nth: _replace(IngestJobs, "look", _after(nth))),
    "after_settling": _by_job(lambda nth: _in_keep(nth + 1, committed=True)),
}
"""Places on the way of a job, which only Salesforce has."""
