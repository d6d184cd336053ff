"""The chain over everything that must not be changed afterwards: journal entries, approvals, erasures.

Each link bears an HMAC over itself and the link before it, so that a link can't be changed, removed from
the middle, moved or inserted by anyone who does not have the key. The ledger has one writer at a time, which
gives the order. `sync.audit` verifies it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from connectors.errors import StateError
from sync.entry_digest import canonical, moment
from sync.opening import opening
from sync.store import Store
from sync.store.as_held import select_as_held
from sync.store.engine import key_of
from sync.store.journal_key import SETTING
from sync.store.people import ApprovalRow
from sync.store.writeback import LinkRow

ENTRIES, OPENING, APPROVAL, ERASURE = "entries", "opening", "approval", "erasure"
Link = LinkRow | Row[Any]
FINGERPRINT: Final = b"upswell journal"
"""What the first link follows: this text under the key, by which a key of somebody else's is told."""


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of the chain in a session that writes: what the next link follows, and the key for it."""

    session: Session
    key: bytes
    last: Link | None
    at: datetime

    def add(self, kind: str, ref: Mapping[str, Any], *, digest: str | None = None) -> int:
        """Append a link, once; gives its number. `digest` covers rows that are kept elsewhere."""
        link = LinkRow(
            seq=1 if self.last is None else self.last.seq + 1,
            at=self.at,
            kind=kind,
            ref=dict(ref),
            digest=digest or digest_of_ref(ref),
            previous=fingerprint(self.key) if self.last is None else self.last.mac,
            mac="",
        )
        link.mac = mac_of(self.key, link)
        self.session.add(link)
        self.session.flush()
        return link.seq


def end(session: Session, at: datetime, effects: Collection[str] = ()) -> End:
    """The end of the chain in a session of `Store.begin`, after a look at whether it is sound.

    A chain that is not there yet is opened by a link that seals what an older version wrote; `effects` are
    the keys of operations and tasks that are about to be journalled, and so are not of that kind.
    Raises StateError when this installation does not have the key that the chain was begun with."""
    last = _last(session)
    held = key_of(session)
    if last is not None:
        return End(session=session, key=_check(session, held.held(), last), last=last, at=at)
    begun = End(session=session, key=held.made(), last=None, at=at)
    sealed = opening(session, begun.key, effects)
    if sealed is None:
        return begun
    begun.add(OPENING, sealed.ref, digest=digest_of_entries(sealed.entries))
    return replace(begun, last=_last(session))


def add(session: Session, kind: str, ref: Mapping[str, Any], *, at: datetime) -> int:
    """Append a link that covers its own facts, in a session of `Store.begin`; gives its number.

    `kind` says what it is about, `ref` holds the facts: `add(session, "install", {"fields": […]}, at=now)`.
    Raises what `end` raises."""
    return end(session, at).add(kind, ref)


def add_approval(session: Session, row: ApprovalRow) -> None:
    """Append the link of an approval, as the row holds it: without one, or changed later, it is found."""
    add(session, APPROVAL, approval_ref(row), at=row.at)


def vouches_for(session: Session, row: ApprovalRow) -> bool:
    """Whether an approval was given through us and stands as it was given."""
    return holds(session, APPROVAL, approval_ref(row))


def approval_ref(row: ApprovalRow) -> dict[str, Any]:
    """The facts of an approval."""
    names = ("id", "kind", "org_id", "plan_id", "fields", "operator", "note")
    return {name: getattr(row, name) for name in names} | {"at": moment(row.at)}


def holds(session: Session, kind: str, ref: Mapping[str, Any]) -> bool:
    """Whether a link of this kind with exactly these facts stands in the chain, made with our key."""
    wanted = canonical(ref)
    return any(canonical(link.ref) == wanted for link in sound_links(session, kind))


def sound_links(session: Session, kind: str) -> list[Link]:
    """The links of a kind that were made with our key, oldest first."""
    key = key_of(session).held()
    if key is None:
        return []
    links = session.execute(select_as_held(LinkRow).where(LinkRow.kind == kind).order_by(LinkRow.seq))
    return [link for link in links if is_ours(key, link)]


def refuse_broken(store: Store) -> None:
    """Raise StateError when nothing could be journalled: another key, or a last link that was changed.

    To be called before the first write to the CRM, because what can't be recorded must not be sent."""
    with store.session() as session:
        last = _last(session)
        if last is not None:
            _check(session, key_of(session).held(), last)


def mac_of(key: bytes, link: Link) -> str:
    """The HMAC that a link must bear."""
    facts = [link.seq, moment(link.at), link.kind, link.ref, link.digest, link.previous]
    return hmac.digest(key, canonical(facts).encode(), "sha256").hex()


def is_ours(key: bytes, link: Link) -> bool:
    """Whether the link is as someone with this key made it."""
    return hmac.compare_digest(mac_of(key, link).encode(), str(link.mac).encode())


def fingerprint(key: bytes) -> str:
    """What the first link of a chain under this key follows."""
    return hmac.digest(key, FINGERPRINT, "sha256").hex()


def digest_of_ref(ref: Mapping[str, Any]) -> str:
    """The digest of a link that covers nothing but its own facts."""
    return hashlib.sha256(canonical(ref).encode()).hexdigest()


def digest_of_entries(entries: Iterable[tuple[int, str]]) -> str:
    """The digest of a link over journal entries, from their (id, digest) in order."""
    whole = hashlib.sha256()
    for number, digest in entries:
        whole.update(line_of_entry(number, digest))
    return whole.hexdigest()


def line_of_entry(number: int, digest: str | None) -> bytes:
    """What a link's digest takes in of one entry."""
    return f"{number} {digest}\n".encode()


def another_key(first: Link | None) -> StateError:
    """The error for a chain that was begun with another key than this installation's."""
    since = "" if first is None else f" (begun {first.at:%Y-%m-%d %H:%M} UTC)"
    return StateError(
        f"the journal's chain{since} was made with another key.",
        record=SETTING,
        fix="give this installation the key that the chain was begun with: [state] journal_key, "
        "journal_key_file or UPSWELL_STATE__JOURNAL_KEY, the same on every machine",
    )


def _check(session: Session, key: bytes | None, last: Link) -> bytes:
    if key is not None and is_ours(key, last):
        return key
    first = session.execute(select_as_held(LinkRow).order_by(LinkRow.seq).limit(1)).first()
    if key is None or first is None or first.previous != fingerprint(key):
        raise another_key(first)
    raise StateError(
        "the journal's last link was changed after it was made.",
        record=f"link {last.seq}",
        fix="see what else was: upswell audit verify; then restore the ledger from a backup",
    )


def _last(session: Session) -> Link | None:
    return session.execute(select_as_held(LinkRow).order_by(LinkRow.seq.desc()).limit(1)).first()
