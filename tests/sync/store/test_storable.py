"""What goes into the ledger comes out the same on SQLite and on PostgreSQL, however strange it is."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mapping import digest
from sync.store import Store, tables
from sync.store.runs import begin_step, end_run, finish_step, start_run, steps_done
from sync.store.scores import SCORES, load_scores, save_scores
from sync.store.storable import is_storable, storable, storable_json

HALF = "\ud83d"  # of an emoji: what a CRM's JSON may hold, and no encoding can
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(), max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("Zoë & Søn 株式会社 😀👩‍👩‍👧", "Zoë & Søn 株式会社 😀👩‍👩‍👧"),
        ("a\0b", "a b"),
        (f"a{HALF}b", "a\ufffdb"),
        (r"a\u0000b", r"a\u0000b"),  # a backslash and letters, no NUL
        ("x" * 1_000_000, "x" * 1_000_000),
        ("Robert'); DROP TABLE runs;-- %s :name", "Robert'); DROP TABLE runs;-- %s :name"),
        ("", ""),
    ],
)
def test_text_and_json_are_kept_alike(ledger: Store, noon: datetime, given_text: str, kept: str) -> None:
    """In a column of text and inside JSON."""
    run = start_run(ledger, "run", config_hash="c", now=noon)
    begin_step(ledger, run, 1, "pull", now=noon)
    finish_step(ledger, run, 1, now=noon, detail={"told": [given_text], given_text[:50]: 1})
    end_run(ledger, run, status="failed", now=noon, error=given_text)
    with ledger.session() as session:
        assert session.get_one(tables.RunRow, run).error == kept
    assert steps_done(ledger, run) == {"pull": {"told": [kept], kept[:50]: 1}}


def test_an_id_longer_than_any_crm_allows_is_kept_whole(ledger: Store, noon: datetime) -> None:
    """A length that only one database enforces would fail a write that the CRM has taken already."""
    name = "😀" * 255
    with ledger.begin() as session:
        session.add(tables.LockRow(name=name, owner="y" * 5000, expires_at=noon))
    with ledger.session() as session:
        assert session.get_one(tables.LockRow, name).owner == "y" * 5000


def _row(account_id: str, **cells: Any) -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name in ("health_reasons", "reasons", "against", "reason_codes")}
    plain = dict.fromkeys(SCORES.names) | lists
    plain |= {"as_of": date(2026, 11, 23), "tier": "high", "model_version": "v1", "is_pipeline": False}
    return plain | {"account_id": account_id} | cells


def _kept(ledger: Store, noon: datetime, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    run = start_run(ledger, "score", config_hash="c", now=noon)
    scores = pa.Table.from_pylist(list(rows), schema=SCORES)
    save_scores(ledger, run, scores, as_of=date(2026, 11, 23), model_version="v1", data_hash="d", now=noon)
    found: list[dict[str, Any]] = load_scores(ledger, run).to_pylist()
    return found


def test_a_number_that_is_none_is_null_and_any_other_is_exact(ledger: Store, noon: datetime) -> None:
    """Not-a-number is "no value" on both; doubles keep every bit."""
    numbers = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, math.inf, math.nan]
    share = {"code": "c", "family": "f", "sentence": "s"}
    rows = [
        _row(f"a{n}", probability=number, priority=n, reasons=[share | {"share": number}])
        for n, number in enumerate(numbers)
    ]
    kept = _kept(ledger, noon, *rows)
    assert [repr(row["probability"]) for row in kept] == [*map(repr, numbers[:3]), "0.0", "inf", "None"]
    assert [repr(row["reasons"][0]["share"]) for row in kept] == [*map(repr, numbers[:4]), "None", "None"]


def test_accounts_are_listed_by_code_point_whatever_the_locale_of_the_database(
    ledger: Store, noon: datetime
) -> None:
    """As Python sorts them: a company sees the same list from both databases."""
    ids = ["a", "B", "b", "Ä", "a-1", "a1", "a_1", "A 1", "😀", "ﬀ", "é", "e\u0301"]
    kept = [row["account_id"] for row in _kept(ledger, noon, *(_row(i) for i in ids))]
    assert kept == sorted(ids)
    assert kept != sorted(ids, key=str.casefold)  # which the test's PostgreSQL comes close to by itself


@given(st.text(st.characters(), max_size=50))
@settings(derandomize=True, deadline=None)
def test_text_made_storable_is_storable_and_stays_so(text: str) -> None:
    """And text that was storable is not touched."""
    assert is_storable(storable(text))
    assert storable(storable(text)) == storable(text)
    assert (storable(text) == text) == is_storable(text)
    assert len(storable(text)) == len(text)


@given(JSON)
@settings(derandomize=True, deadline=None)
def test_a_digest_is_the_same_before_and_after_the_ledger(content: Any) -> None:
    """Or a plan with one strange character would be refused as tampered with."""
    kept = json.loads(storable_json(content))
    assert digest(kept) == digest(content)
    assert storable_json(kept) == storable_json(content)


def test_a_moment_before_any_crm_and_one_far_off_are_kept(ledger: Store) -> None:
    """A CRM's first and last dates, to the microsecond, on a server in another zone."""
    moments = [
        datetime(1700, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # an hour that Europe's clocks skip
        datetime(4000, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    with ledger.begin() as session:
        for n, moment in enumerate(moments):
            session.add(tables.LockRow(name=str(n), owner="me", expires_at=moment))
    with ledger.session() as session:
        assert [session.get_one(tables.LockRow, str(n)).expires_at for n in range(3)] == moments
