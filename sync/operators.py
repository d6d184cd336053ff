"""Operators: the people who may act here, each known by a token of which the ledger keeps only a hash.

    role       looks   plans and applies   approves plans   manages operators
    viewer       ×
    operator     ×             ×
    approver     ×             ×                  ×
    admin        ×             ×                  ×                 ×

The first operator may be added freely and must be an admin; from then on only an admin adds, disables or
gives a new token. A disabled operator stays in the ledger, so that what they approved keeps its name.

A token is 256 bits from the system's randomness, so its SHA-256 is enough: scrypt and its like make guessing
of what people choose themselves slow, and 2²⁵⁶ values need no slowing. It also lets the ledger find the
operator by the hash, which a salted one would not.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.errors import InputError, UsageError
from sync.store import Store
from sync.store.people import OperatorRow

TOKEN_VARIABLE: Final = "UPSWELL_OPERATOR_TOKEN"  # noqa: S105 - its name
TOKEN_FILE_VARIABLE: Final = "UPSWELL_OPERATOR_TOKEN_FILE"  # noqa: S105 - its name
PREFIX: Final = "upswell_"  # so that a secret scanner can tell what was committed by mistake
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")  # no colon: `os:` marks people without a token


class Role(StrEnum):
    """What an operator may do; each role may do what the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Whether this role is the needed one or above it."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator as the ledger knows them."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An operator and the token that was made for them: shown once, kept nowhere."""

    operator: Operator
    token: str


def operators(store: Store) -> list[Operator]:
    """Every operator, disabled ones too, by name."""
    with store.session() as session:
        return [_operator(row) for row in session.scalars(select(OperatorRow).order_by(OperatorRow.name))]


def add_operator(store: Store, name: str, role: Role, *, token: str | None, now: datetime) -> Issued:
    """A new operator and their token; `token` is that of the admin who adds them, None for the first.

    Raises UsageError when the name is taken or ill-formed, or whoever asks may not."""
    if NAME.fullmatch(name) is None:
        raise UsageError(
            "this is no operator's name: small letters, digits, dot, dash, underscore, @, at most 64.",
            record=name,
            fix="name them as in dana or dana@acme.example",
        )
    with store.begin() as session:
        if session.scalar(select(func.count()).select_from(OperatorRow)):
            _need_admin(session, token)
        elif role is not Role.ADMIN:
            raise UsageError(
                "the first operator must be an admin, since only an admin can add others.",
                record=name,
                fix=f"upswell operator add {name} --role admin",
            )
        if session.get(OperatorRow, name) is not None:
            raise UsageError(
                "there is an operator of this name, whose approvals keep it.",
                record=name,
                fix=f"for a new token: upswell operator rotate {name}; otherwise choose another name",
            )
        issued = _new_token()
        row = OperatorRow(name=name, role=role.value, token_hash=hash_of(issued), created_at=now)
        session.add(row)
        return Issued(operator=_operator(row), token=issued)


def disable_operator(store: Store, name: str, *, token: str | None, now: datetime) -> Operator:
    """The operator, whose token counts no longer. Raises UsageError for the last admin, whom nobody could
    replace, and when whoever asks is no admin."""
    with store.begin() as session:
        _need_admin(session, token)
        row = _row(session, name)
        if row.role == Role.ADMIN and row.disabled_at is None and _admins(session) == 1:
            raise UsageError(
                "this is the last admin; nobody could add operators afterwards.",
                record=name,
                fix="add another admin first: upswell operator add NAME --role admin",
            )
        row.disabled_at = row.disabled_at or now
        return _operator(row)


def rotate_token(store: Store, name: str, *, token: str | None) -> Issued:
    """A new token for the operator; the old one counts no longer. An operator may do it for themselves, an
    admin for everybody. Raises UsageError otherwise, and for a disabled operator."""
    with store.begin() as session:
        asks = _authenticate(session, token)
        if asks.name != name:
            _need(asks, Role.ADMIN)
        row = _row(session, name)
        if row.disabled_at is not None:
            raise UsageError(
                "this operator is disabled.", record=name, fix="add them under another name if they are back"
            )
        issued = _new_token()
        row.token_hash = hash_of(issued)
        return Issued(operator=_operator(row), token=issued)


def authenticate(store: Store, token: str | None, needed: Role = Role.VIEWER) -> Operator:
    """Whose token this is. Raises UsageError when it is nobody's, disabled, or the role is not enough."""
    with store.session() as session:
        operator = _authenticate(session, token)
    _need(operator, needed)
    return operator


def who_acts(store: Store, token: str | None, login: str) -> str:
    """The name under which a plan is made: the operator's, or `os:<login>` when no token was given.

    Raises UsageError for a token that does not count, and for a viewer's."""
    return f"os:{login}" if token is None else authenticate(store, token, Role.OPERATOR).name


def token_from(environ: Mapping[str, str]) -> str | None:
    """The token that the environment holds or names a file of; None when it does neither.

    Raises InputError when the file can't be read."""
    held = environ.get(TOKEN_VARIABLE, "").strip()
    file = environ.get(TOKEN_FILE_VARIABLE, "").strip()
    if held or not file:
        return held or None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the operator's token can't be read: {error}.",
            record=file,
            fix=f"correct {TOKEN_FILE_VARIABLE}, or give the token in {TOKEN_VARIABLE}",
        ) from None


def hash_of(token: str) -> str:
    """What the ledger keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _authenticate(session: Session, token: str | None) -> Operator:
    if token is None:
        raise UsageError(
            "this needs an operator's token.",
            fix=f"give it in {TOKEN_VARIABLE}, or name its file in {TOKEN_FILE_VARIABLE}",
        )
    row = session.scalars(select(OperatorRow).where(OperatorRow.token_hash == hash_of(token))).first()
    if row is None or row.disabled_at is not None:
        raise UsageError(
            "this operator's token does not count (it is unknown, was replaced, or its operator disabled).",
            fix="ask an admin for a new one: upswell operator rotate NAME",
        )
    return _operator(row)


def _need(operator: Operator, needed: Role) -> None:
    if not operator.role.may(needed):
        raise UsageError(
            f"{operator.name} is {operator.role}, and this needs the role {needed}.",
            record=operator.name,
            fix="use the token of someone who has it",
        )


def _need_admin(session: Session, token: str | None) -> None:
    _need(_authenticate(session, token), Role.ADMIN)


def _admins(session: Session) -> int:
    active = (OperatorRow.role == Role.ADMIN.value, OperatorRow.disabled_at.is_(None))
    return session.scalar(select(func.count()).select_from(OperatorRow).where(*active)) or 0


def _row(session: Session, name: str) -> OperatorRow:
    row = session.get(OperatorRow, name)
    if row is None:
        raise UsageError("there is no such operator.", record=name, fix="see: upswell operator list")
    return row


def _operator(row: OperatorRow) -> Operator:
    return Operator(
        name=row.name, role=Role(row.role), created_at=row.created_at, disabled_at=row.disabled_at
    )
