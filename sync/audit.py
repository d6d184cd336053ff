"""Whether the journal is what we wrote: every link, every entry, and that nothing is missing from its end.

A fault names the row. Without the key nobody can make a change that is not found here, with one exception
that no chain closes: who removes the newest links together with everything that speaks of them leaves a
shorter, sound chain. `head` is for that: the end of the chain as it was printed and kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.errors import UsageError
from sync.audit_entries import EntryCheck
from sync.audit_links import Fault, LinkCheck
from sync.chain import APPROVAL, another_key, approval_ref
from sync.entry_digest import canonical
from sync.erased import marked_operations
from sync.opening import unjournalled_effects
from sync.store import Store
from sync.store.as_held import select_as_held
from sync.store.engine import key_of
from sync.store.people import ApprovalRow
from sync.store.writeback import JournalRow, LinkRow

ROWS_AT_ONCE: Final = 1_000

Progress = Callable[[int, int], None]
"""Called with entries done and in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found; the chain is whole when there are no faults.

    `sealed` entries were written before there was a chain, and sealed on `opened_at`; `unsealed` ones still
    wait for that. `head` is the chain's end, to be kept elsewhere."""

    links: int
    entries: int
    erased: int
    sealed: int
    unsealed: int
    opened_at: datetime | None
    head: str | None
    faults: tuple[Fault, ...]


def verify(store: Store, *, head: str | None = None, progress: Progress | None = None) -> Verdict:
    """Look at every row of the journal and its chain; `head` is one that was printed earlier.

    Raises StateError when the chain was made with another key, UsageError for a head that is none."""
    kept = None if head is None else _parsed(head)
    with store.session() as session:
        return verdict(session, kept, progress)


def verdict(session: Session, kept: tuple[int, str] | None, progress: Progress | None = None) -> Verdict:
    """What `verify` finds in what a session sees; `kept` is the (number, mac) of a head."""
    links = session.execute(select_as_held(LinkRow).order_by(LinkRow.seq)).all()
    total = session.scalar(select(func.count()).select_from(JournalRow)) or 0
    if not links:
        return _without_chain(session, total, kept)
    key = key_of(session).held()
    if key is None:
        raise another_key(links[0])
    chain = LinkCheck(key=key)
    for link in links:
        chain.look(link)
    entries = EntryCheck(key=key, chain=chain)
    for done, row in enumerate(_rows(session), start=1):
        entries.look(row)
        if progress is not None and done % ROWS_AT_ONCE == 0:
            progress(done, total)
    entries.end()
    if not chain.knows_key and not entries.knows_key:
        raise another_key(links[0])
    faults = [
        *chain.faults,
        *entries.faults,
        *_missing_effects(session, chain.unjournalled),
        *_approvals(session, chain),
        *_operations(session, chain),
        *_head(kept, chain),
    ]
    return Verdict(
        links=len(links),
        entries=total,
        erased=entries.erased,
        sealed=chain.sealed,
        unsealed=0,
        opened_at=links[0].at,
        head=f"{links[-1].seq}:{links[-1].mac}",
        faults=tuple(faults),
    )


def _parsed(head: str) -> tuple[int, str]:
    seq, separator, mac = head.strip().partition(":")
    if not separator or not seq.isdecimal() or not mac:
        raise UsageError(
            "this is no head of a chain.",
            record=head,
            fix="give it as `upswell audit verify` printed it, SEQ:MAC",
        )
    return int(seq), mac.lower()


def _without_chain(session: Session, total: int, kept: tuple[int, str] | None) -> Verdict:
    """Nothing was linked yet; what bears a digest all the same had a link."""
    faults = []
    had_one = JournalRow.digest.is_not(None) | JournalRow.erased_at.is_not(None)
    orphans = session.scalar(select(func.count()).where(had_one)) or 0
    if orphans:
        faults.append(
            Fault(
                code="missing",
                record="journal_links",
                message=f"every link is gone, and {orphans:,} entries had one.",
            )
        )
    none = LinkCheck(key=b"")
    faults += [*_approvals(session, none), *_operations(session, none), *_head(kept, none)]
    return Verdict(
        links=0,
        entries=total,
        erased=0,
        sealed=0,
        unsealed=total - orphans,
        opened_at=None,
        head=None,
        faults=tuple(faults),
    )


def _rows(session: Session) -> Iterator[object]:
    query = select_as_held(JournalRow).order_by(JournalRow.id)
    return iter(session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}))


def _missing_effects(session: Session, known: Sequence[str]) -> Iterator[Fault]:
    """Effects that the ledger knows and the journal does not: entries removed from the end."""
    for effect in sorted(set(unjournalled_effects(session)) - set(known)):
        yield Fault(
            code="missing",
            record=effect,
            message="it took effect in the CRM, and the journal has no entry of it.",
        )


def _approvals(session: Session, chain: LinkCheck) -> Iterator[Fault]:
    """Approvals that nobody gave, were changed since, or are gone."""
    linked = {canonical(link.ref): link.ref for link in chain.sound if link.kind == APPROVAL}
    rows = {canonical(approval_ref(row)): row.id for row in session.scalars(select(ApprovalRow))}
    for facts in sorted(rows.keys() - linked.keys()):
        yield Fault(
            code="inserted",
            record=f"approval {rows[facts]}",
            message="no link says that it was given as it stands there.",
        )
    for facts in sorted(linked.keys() - rows.keys()):
        yield Fault(
            code="missing",
            record=f"approval {linked[facts].get('id')}",
            message="a link says that it was given, and it is not there as it was.",
        )


def _operations(session: Session, chain: LinkCheck) -> Iterator[Fault]:
    """Operations that were emptied without an erasure, or filled again after one."""
    marked = marked_operations(session)
    for key in sorted(marked - chain.erased_operations):
        yield Fault(
            code="forged_erasure", record=f"operation {key}", message="it was emptied, and no link says why."
        )
    for key in sorted(chain.erased_operations - marked):
        yield Fault(
            code="changed", record=f"operation {key}", message="it was erased, and holds content again."
        )


def _head(kept: tuple[int, str] | None, chain: LinkCheck) -> Iterator[Fault]:
    if kept is not None and chain.macs.get(kept[0]) != kept[1]:
        yield Fault(
            code="missing",
            record=f"link {kept[0]}",
            message="the chain no longer holds the head that was kept: it was cut off, or made anew.",
        )
