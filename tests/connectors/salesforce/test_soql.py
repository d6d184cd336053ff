"""SOQL whose values can't break out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.salesforce.soql import Condition, in_chunks, select, stamp

HOSTILE = [
    "' OR Name != '",
    "\\",
    "\\' OR '1'='1",
    "O'Brien",
    '"quoted"',
    "a\nb\r\tc\b\fd",
    "%_\\%",
    "{0}{name!r}{:literal}",
    "ключ 日本 🙂",
    "') LIMIT 0 --",
]


def unquoted(literal: str) -> tuple[str, str]:
    """The text of the string literal that SOQL would read at the start, and what is left after it.

    SOQL and SOSL Reference, "Quoted String Escape Sequences".
    """
    escapes = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
    assert literal[0] == "'"
    text, index = "", 1
    while literal[index] != "'":
        if literal[index] == "\\":
            index += 1
            text += escapes[literal[index]]
        else:
            text += literal[index]
        index += 1
    return text, literal[index + 1 :]


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.text())
@example("'")
@example("\\'")
def test_any_text_is_one_literal(value: str) -> None:
    """It reads back as itself, and nothing of it is left outside the quotes."""
    assert unquoted(str(Condition(field="Name", operator="=", value=value)).removeprefix("Name = ")) == (
        value,
        "",
    )


@settings(deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_any_list_of_texts_is_a_list_of_literals(values: list[str]) -> None:
    """Comma by comma."""
    rest = str(Condition(field="Name", operator="IN", value=values)).removeprefix("Name IN ")
    found = []
    while rest[0] in "(,":
        text, rest = unquoted(rest[1:])
        found.append(text)
    assert (found, rest) == (values, ")")


@pytest.mark.parametrize(
    "name", ["Name FROM User", "Id,Name", "1a", "a.b.", "", "Näme", "Id--", "a..b", "Id\n"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """As field, object, order or condition."""
    with pytest.raises(ValueError, match="no field or object name"):
        select([name], "Account")
    with pytest.raises(ValueError, match="no field or object name"):
        select(["Id"], name)
    with pytest.raises(ValueError, match="no field or object name"):
        select(["Id"], "Account", order=[name])
    with pytest.raises(ValueError, match="no field or object name"):
        str(Condition(field=name, operator="=", value=None))


def test_an_operator_of_ones_own_is_refused() -> None:
    """Only comparisons and IN."""
    with pytest.raises(ValueError, match="operator"):
        str(Condition(field="Id", operator="= '' OR Id !=", value="x"))


@settings(deadline=None, derandomize=True)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001  # made aware below
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_is_written_in_utc_to_the_millisecond(wall: datetime, offset: int) -> None:
    """Read back, it lies less than a millisecond before."""
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=offset)))
    back = datetime.fromisoformat(stamp(moment))
    assert back.utcoffset() == timedelta(0)
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_a_moment_without_a_zone_is_refused() -> None:
    """A window is in UTC or it is wrong."""
    with pytest.raises(ValueError, match="naive"):
        stamp(datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test


@settings(deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=120), max_size=400))
def test_lists_are_cut_so_that_a_query_fits_into_its_address(values: list[str]) -> None:
    """Each value once, in order, and no part above what Salesforce takes."""
    chunks = list(in_chunks(values))
    assert [value for chunk in chunks for value in chunk] == list(dict.fromkeys(values))
    for chunk in chunks:
        statement = select(["Id"], "Account", where=[Condition(field="Name", operator="IN", value=chunk)])
        assert len(quote(statement, safe="")) < 15_000


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_finds_its_record_and_no_other(org: Any, value: str) -> None:
    """Over real HTTP, through the org's own parser."""
    org.create("Account", Name="bystander")
    wanted = org.create("Account", Name=value)
    crm = org.connect()
    statement = select(["Id"], "Account", where=[Condition(field="Name", operator="=", value=value)])
    assert [record["Id"] for record in crm._client.records(statement)] == [wanted]


@settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_no_text_makes_the_org_return_another_record(org: Any, value: str) -> None:
    """Whatever is asked for, the bystander does not answer to it."""
    crm = org.connect()
    if not list(crm._client.records("SELECT Id FROM Account LIMIT 1")):
        org.create("Account", Name="bystander of a name that nothing guesses")
    statement = select(["Name"], "Account", where=[Condition(field="Name", operator="=", value=value)])
    assert list(crm._client.records(statement)) == []


def test_a_window_holds_its_start_and_not_its_end(org: Any) -> None:
    """[since, until)."""
    org.create("Account", Name="Acme")
    crm = org.connect()
    (held,) = crm._client.records("SELECT SystemModstamp FROM Account")
    at = datetime.fromisoformat(held["SystemModstamp"]).astimezone(UTC)

    def count(operator: str) -> int:
        condition = Condition(field="SystemModstamp", operator=operator, value=at)
        return len(list(crm._client.records(select(["Id"], "Account", where=[condition]))))

    assert (count(">="), count("<")) == (1, 0)
