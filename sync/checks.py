"""Every check of one installation, each a small question to the CRM, the ledger, the files or the models.

None changes anything. A check that can't be asked, because one before it failed, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.errors import UpswellError
from sync.check import Check, Verdict, fault_of, fine
from sync.crm_checks import check_crm
from sync.data_checks import check_lake, check_ledger, check_model, check_runs
from sync.journal_check import check_journal

if TYPE_CHECKING:
    from sync.loop import Loop

__all__ = ["Check", "Verdict", "check_all"]


def check_all(loop: Loop) -> Iterator[Check]:
    """Every check, in the order in which a failing one explains those after it."""
    yield check_ledger(loop.store)
    yield check_journal(loop.store)
    yield check_runs(loop.store)
    try:
        crm = loop.crm
        org = crm.org()
    except UpswellError as error:
        yield fault_of("CRM", "login", error)
    else:
        yield fine("CRM", "login", f"{org.name} ({org.kind} {org.id}) at {org.url}")
        yield from check_crm(crm, loop.settings, now=loop.clock())
    now = _now(loop)
    yield from check_lake(loop.store, loop.settings, now)
    yield from check_model(loop.registry, now)


def _now(loop: Loop) -> datetime:
    """The CRM's clock where it answers, since bookmarks go by it; else the machine's."""
    try:
        return loop.crm.server_time()
    except UpswellError:
        return loop.clock()
