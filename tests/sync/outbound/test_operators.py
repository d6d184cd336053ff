"""Operators, their roles and their tokens."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.errors import InputError, UsageError
from sync.operators import (
    Role,
    add_operator,
    authenticate,
    disable_operator,
    operators,
    rotate_token,
    token_from,
    who_acts,
)
from sync.store import Store
from sync.store.people import OperatorRow


@pytest.fixture
def admin(ledger: Store, noon: datetime) -> str:
    """The token of the first operator, Dana."""
    return add_operator(ledger, "dana", Role.ADMIN, token=None, now=noon).token


def test_the_first_operator_is_added_freely_and_must_be_an_admin(ledger: Store, noon: datetime) -> None:
    """A ledger whose only operator is no admin could never get another."""
    with pytest.raises(UsageError, match="must be an admin"):
        add_operator(ledger, "lee", Role.APPROVER, token=None, now=noon)
    issued = add_operator(ledger, "dana", Role.ADMIN, token=None, now=noon)
    assert authenticate(ledger, issued.token).name == "dana"


def test_only_an_admin_adds_the_next(ledger: Store, noon: datetime, admin: str) -> None:
    """Without a token, with an unknown one, or as an approver it is refused."""
    lee = add_operator(ledger, "lee", Role.APPROVER, token=admin, now=noon).token
    for token, message in ((None, "token"), ("upswell_nobody", "does not count"), (lee, "lee is approver")):
        with pytest.raises(UsageError, match=message):
            add_operator(ledger, "sam", Role.VIEWER, token=token, now=noon)
    assert [(each.name, each.role) for each in operators(ledger)] == [("dana", "admin"), ("lee", "approver")]


def test_the_ledger_keeps_no_token(ledger: Store, admin: str) -> None:
    """Only a hash, from which it can't be had again."""
    with ledger.session() as session:
        row = session.scalars(select(OperatorRow)).one()
    held = " ".join(str(value) for value in vars(row).values())
    assert admin not in held
    assert admin.removeprefix("upswell_") not in held
    assert len(row.token_hash) == 64


def test_tokens_are_long_random_and_never_the_same(ledger: Store, noon: datetime, admin: str) -> None:
    """256 bits: nobody guesses one, so its hash needs no slowing down."""
    tokens = {add_operator(ledger, f"o{n}", Role.VIEWER, token=admin, now=noon).token for n in range(20)}
    assert len(tokens) == 20
    assert all(token.startswith("upswell_") and len(token) >= 8 + 43 for token in tokens)


def test_a_disabled_operator_stays_and_may_nothing(ledger: Store, noon: datetime, admin: str) -> None:
    """Their name can't be taken either, since approvals bear it."""
    lee = add_operator(ledger, "lee", Role.APPROVER, token=admin, now=noon).token
    assert disable_operator(ledger, "lee", token=admin, now=noon).disabled_at == noon
    with pytest.raises(UsageError, match="does not count"):
        authenticate(ledger, lee)
    with pytest.raises(UsageError, match="of this name"):
        add_operator(ledger, "lee", Role.VIEWER, token=admin, now=noon)
    with pytest.raises(UsageError, match="disabled"):
        rotate_token(ledger, "lee", token=admin)
    assert [each.name for each in operators(ledger)] == ["dana", "lee"]


def test_the_last_admin_can_t_be_disabled(ledger: Store, noon: datetime, admin: str) -> None:
    """Nobody could add operators afterwards; a disabled admin does not count as another."""
    with pytest.raises(UsageError, match="last admin"):
        disable_operator(ledger, "dana", token=admin, now=noon)
    add_operator(ledger, "ada", Role.ADMIN, token=admin, now=noon)
    disable_operator(ledger, "ada", token=admin, now=noon)
    with pytest.raises(UsageError, match="last admin"):
        disable_operator(ledger, "dana", token=admin, now=noon)


def test_a_rotated_token_counts_and_the_old_one_no_longer(ledger: Store, noon: datetime, admin: str) -> None:
    """One's own, or by an admin; not another's."""
    lee = add_operator(ledger, "lee", Role.OPERATOR, token=admin, now=noon).token
    with pytest.raises(UsageError, match="needs the role admin"):
        rotate_token(ledger, "dana", token=lee)
    own = rotate_token(ledger, "lee", token=lee).token
    with pytest.raises(UsageError, match="does not count"):
        authenticate(ledger, lee)
    by_admin = rotate_token(ledger, "lee", token=admin).token
    with pytest.raises(UsageError, match="does not count"):
        authenticate(ledger, own)
    assert authenticate(ledger, by_admin).name == "lee"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_may_what_those_before_it_may(role: Role, needed: Role) -> None:
    """viewer, operator, approver, admin."""
    assert role.may(needed) is (list(Role).index(role) >= list(Role).index(needed))


@pytest.mark.parametrize("name", ["", "Dana", "os:dana", "a b", "-x", "x" * 65, "dana\n"])
def test_names_that_could_be_taken_for_something_else_are_refused(
    ledger: Store, noon: datetime, name: str
) -> None:
    """`os:` marks people without a token; letters of one case keep Dana and dana from being two."""
    with pytest.raises(UsageError, match="no operator's name"):
        add_operator(ledger, name, Role.ADMIN, token=None, now=noon)


def test_a_plan_is_made_under_the_operator_s_name_or_the_login(
    ledger: Store, noon: datetime, admin: str
) -> None:
    """A token that does not count is no reason to go on under the login, and a viewer makes none."""
    viewer = add_operator(ledger, "vic", Role.VIEWER, token=admin, now=noon).token
    assert who_acts(ledger, None, "root") == "os:root"
    assert who_acts(ledger, admin, "root") == "dana"
    for token in ("upswell_nobody", viewer):
        with pytest.raises(UsageError):
            who_acts(ledger, token, "root")


def test_the_token_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """The variable wins; blanks around it are none of it; an empty one is none."""
    file = tmp_path / "token"
    file.write_text("upswell_file\n")
    by_file = {"UPSWELL_OPERATOR_TOKEN_FILE": str(file)}
    assert token_from({}) is None
    assert token_from({"UPSWELL_OPERATOR_TOKEN": " "}) is None
    assert token_from(by_file) == "upswell_file"
    assert token_from(by_file | {"UPSWELL_OPERATOR_TOKEN": " upswell_env\n"}) == "upswell_env"
    with pytest.raises(InputError, match="can't be read"):
        token_from({"UPSWELL_OPERATOR_TOKEN_FILE": str(tmp_path / "none")})


def test_an_unknown_operator_is_named(ledger: Store, noon: datetime, admin: str) -> None:
    """With where to look."""
    for act in (
        lambda: disable_operator(ledger, "nobody", token=admin, now=noon),
        lambda: rotate_token(ledger, "nobody", token=admin),
    ):
        with pytest.raises(UsageError, match=r"nobody: there is no such operator.*operator list"):
            act()
