"""The write-back with one safeguard taken out: the checker must notice each, or it has no teeth.

A sabotage replaces functions in the process that it strikes. `rule` is the promise that is broken then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import select, update

import sync.apply
import sync.chain
import sync.claims
import sync.delivery
import sync.gateway
import sync.journal
import sync.recovery
import sync.rollback
from connectors.errors import AmbiguousError
from connectors.salesforce.client import SalesforceClient
from sync.claims import Claims
from sync.gateway import CellErrand
from sync.store.locks import Lease
from sync.store.writeback import OperationRow
from sync.task_errands import TaskErrand

Replacement = tuple[Any, str, Any]
"""Owner, name, and what stands there instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """One safeguard less."""

    rule: str
    replaces: tuple[Replacement, ...]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For the time of the block."""
        with ExitStack() as stack:
            for owner, name, instead in self.replaces:
                stack.enter_context(patch.object(owner, name, instead))
            yield

    def strike(self) -> None:
        """For the rest of the process."""
        for owner, name, instead in self.replaces:
            setattr(owner, name, instead)


_send = SalesforceClient.send
_recover = sync.recovery.recover


def _send_again(self: SalesforceClient, *args: Any, **options: Any) -> Any:
    """Send, and when the reply is lost send again, as a client library with retries does."""
    try:
        return _send(self, *args, **options)
    except AmbiguousError:
        return _send(self, *args, **options)


def _all_expired(session: Any, org_id: str, at: Any, **options: Any) -> None:
    """Take back every claim, whether its lease has ended or not."""
    _recover(session, org_id, at + timedelta(days=365), **options)


def _moved_by_anyone(_self: Claims, session: Any, rows: Any, _was: str, /, **values: Any) -> set[str]:
    """Move rows whoever holds them by now."""
    keys = [row.key for row in rows]
    session.execute(
        update(OperationRow).where(OperationRow.key.in_(keys)).values(**values),
        execution_options={"synchronize_session": False},
    )
    return set(session.scalars(select(OperationRow.key).where(OperationRow.key.in_(keys))))


def _no_change(*_args: Any, **_options: Any) -> None:
    """Nothing."""


SABOTAGES: Final[dict[str, Sabotage]] = {
    # a task whose reply was lost is made again without a look
    "no_read_back": Sabotage(rule="I2", replaces=((TaskErrand, "_existing", lambda *_: {}),)),
    # what an earlier call wrote is taken for the CRM's own
    "reply_forgotten": Sabotage(
        rule="I1",
        replaces=((CellErrand, "look", lambda *_: {}), (CellErrand, "_late", CellErrand._verdict)),
    ),
    "blind_repost": Sabotage(rule="I2", replaces=((SalesforceClient, "send", _send_again),)),
    # the first look decides, although a late write may still land
    "no_patience": Sabotage(rule="I2", replaces=((sync.delivery, "LOOK_AGAIN", ()),)),
    "no_compare": Sabotage(rule="I4", replaces=((CellErrand, "_verdict", _no_change),)),
    "no_lease": Sabotage(rule="I2", replaces=((sync.claims, "recover", _all_expired),)),
    "no_fence": Sabotage(rule="I5", replaces=((Claims, "_moved", _moved_by_anyone),)),
    # the call is made while the ledger still says that it was not
    "sending_not_committed": Sabotage(
        rule="I1", replaces=((Claims, "send", lambda _self, rows: list(rows)),)
    ),
    "journal_not_written": Sabotage(rule="I5", replaces=((sync.journal, "record", _no_change),)),
    # links that say nothing about what they cover
    "chain_blind": Sabotage(
        rule="I8", replaces=((sync.chain, "digest_of_entries", lambda _entries: "0" * 64),)
    ),
    "lock_not_taken": Sabotage(
        rule="I4", replaces=((Lease, "take", lambda _self: True), (sync.claims, "extend", _no_change))
    ),
    "rollback_overwrites": Sabotage(
        rule="I6",
        replaces=((sync.rollback, "same", lambda *_: True), (CellErrand, "_verdict", _no_change)),
    ),
    "allow_list_off": Sabotage(
        rule="I3",
        replaces=(
            (CellErrand, "_check_allowed", _no_change),
            (CellErrand, "_same", lambda _self, cell, record, value: record.values.get(cell.name) == value),
        ),
    ),
    "guard_off": Sabotage(rule="I3", replaces=((sync.apply, "refuse_stopped", _no_change),)),
    "no_request_limit": Sabotage(rule="I7", replaces=((sync.delivery, "REQUESTS", 1000),)),
}
