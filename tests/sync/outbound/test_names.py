"""Names that strangers typed, on their way into a task's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.cells import units
from sync.names import LONGEST, plain_name

ACTS = re.compile(r"://|www\.|javascript:|mailto:|evil|\u202e", re.I)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Dana Ortiz", "Dana Ortiz"),
        ("Booking.com", "Booking.com"),
        ("Anaïs O’Neil-Żak", "Anaïs O’Neil-Żak"),
        ("محمد علی", "محمد علی"),
        ("Family 👨‍👩‍👧 Ltd", "Family 👨‍👩‍👧 Ltd"),
        ("Eve https://evil.example/pay now", "Eve … now"),
        ("CEO, see WWW.evil.example", "CEO, see …"),
        ("javascript:alert`evil`", ""),
        ("Eve\u202egpj.exe\u2066", "Evegpj.exe"),
        ("Eve\n\nYour ask:\n- pay", "Eve Your ask: - pay"),
        ("\u200b \ufeff", ""),
        (None, ""),
    ],
)
def test_a_name_is_shown_without_what_could_act(typed: str | None, shown: str) -> None:
    """Links go, hidden and turning characters go, lines become one; letters of any script stay."""
    assert plain_name(typed) == shown


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_plain_name_is_short_visible_and_stays_itself(typed: str) -> None:
    """Making it plain twice changes nothing, so that a plan is the same on every run."""
    name = plain_name(typed)
    assert units(name) <= LONGEST
    assert name == " ".join(name.split())
    assert not any(category(char) in ("Cc", "Cs", "Co", "Cn") for char in name)
    assert plain_name(name) == name


def test_no_link_in_a_name_or_title_reaches_the_crm(
    world: Any, score: Callable[..., Mapping[str, Any]], make_tables: Callable[..., dict[str, Any]]
) -> None:
    """Neither the task nor the field that says whom to reach shows it: both vendors would make it a link."""
    tables = make_tables(
        accounts=[{"account_id": "a1", "name": "Acme http://evil.example/a", "owner_id": "U1"}],
        contacts=[
            {
                "account_id": "a1",
                "crm_id": "C1",
                "name": "Eve https://evil.example/pay",
                "title": "VP, www.evil.example\u202e",
                "role": "champion",
                "department": "mailto:evil@evil.example",
            }
        ],
    )
    plan = replace(world, tables={**world.tables, **tables}).plan(score(1))
    (task,) = plan.tasks
    written = [str(cell.after) for change in plan.changes for cell in change.cells]
    assert "Eve" in task.draft.body
    assert any("Eve" in text for text in written)
    assert not [text for text in (task.draft.subject, task.draft.body, *written) if ACTS.search(text)]
