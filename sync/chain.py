"""The chain over everything that must not be changed afterwards: journal entries, approvals, erasures.

Each link bears an HMAC over itself and the link before it, so that a link can't be changed, removed from
the middle, moved or inserted by anyone who does not have the key. The ledger has one writer at a time, which
gives the order. `sync.audit` verifies it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
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


def add(
    session: Session, kind: str, ref: Mapping[str, Any], *, at: datetime, digest: str | None = None
) -> int:
    """Append a link in a session of `Store.begin`; gives its number.

    `kind` says what it is about and `ref` holds the facts, such as
    `add(session, "approval", {"id": …, "operator": …}, at=now)`; `digest` covers rows kept elsewhere.
    The first link ever is preceded by one that seals what an older version wrote.
    Raises StateError when this installation does not have the key that the chain was begun with."""
    key, last = _continue(session, at)
    return _append(session, key, last, kind=kind, ref=ref, at=at, digest=digest or digest_of_ref(ref))


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


def key_to_write(session: Session, at: datetime, effects: Collection[str] = ()) -> bytes:
    """The key for what is about to be linked, the chain being open and sound at its end.

    `effects` are the keys of operations and tasks that it is about, which no older version wrote."""
    return _continue(session, at, effects)[0]


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


def _continue(session: Session, at: datetime, effects: Collection[str] = ()) -> tuple[bytes, Link | None]:
    """The key and the last link, checked; a chain that is not there yet is opened."""
    last = _last(session)
    held = key_of(session)
    if last is not None:
        return _check(session, held.held(), last), last
    key = held.made()
    sealed = opening(session, key, effects)
    if sealed is None:
        return key, None
    digest = digest_of_entries(sealed.entries)
    _append(session, key, None, kind=OPENING, ref=sealed.ref, at=at, digest=digest)
    return key, _last(session)


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


def _append(
    session: Session,
    key: bytes,
    last: Link | None,
    *,
    kind: str,
    ref: Mapping[str, Any],
    at: datetime,
    digest: str,
) -> int:
    link = LinkRow(
        seq=1 if last is None else last.seq + 1,
        at=at,
        kind=kind,
        ref=dict(ref),
        digest=digest,
        previous=fingerprint(key) if last is None else last.mac,
        mac="",
    )
    link.mac = mac_of(key, link)
    session.add(link)
    session.flush()
    return link.seq


def _last(session: Session) -> Link | None:
    return session.execute(select_as_held(LinkRow).order_by(LinkRow.seq.desc()).limit(1)).first()
