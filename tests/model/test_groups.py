"""Which accounts are one corporate group."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from model.groups import top_parents


def test_everybody_below_a_top_is_its_group() -> None:
    """Through every level; a parent that is no account of ours holds its children together too."""
    parents = {"top": None, "child": "top", "grandchild": "child", "alone": None, "a": "gone", "b": "gone"}
    assert top_parents(parents) == {
        "top": "top", "child": "top", "grandchild": "top", "alone": "alone", "a": "gone", "b": "gone",
    }  # fmt: skip


def test_a_ring_is_one_group() -> None:
    """A CRM lets people make one, and whoever hangs below it belongs to it."""
    found = top_parents({"c": "b", "b": "a", "a": "c", "d": "b", "self": "self"})
    assert found == {"a": "a", "b": "a", "c": "a", "d": "a", "self": "self"}


NAMES = st.sampled_from("abcdefg")


@given(st.dictionaries(NAMES, st.one_of(st.none(), NAMES)))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_parent_and_child_are_always_of_one_group(parents: dict[str, str | None]) -> None:
    """In whatever order the records come, whatever rings there are."""
    found = top_parents(parents)
    assert set(found) == set(parents)
    assert found == top_parents(dict(reversed(parents.items())))
    for account, parent in parents.items():
        if parent in parents:
            assert found[account] == found[parent]
