"""The noise gate: which differences are worth a write, and which wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.crm import Value
from sync.cells import as_held, to_json
from sync.difference import Before, Difference, compare, days_early, moved
from sync.last_written import LastWritten
from sync.mapping import FieldMap, field_map
from sync.planned import Cause
from sync.settings import NoiseSettings

Score = Callable[..., dict[str, Any]]
NOISE = NoiseSettings()
LAWS = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXT = st.one_of(st.none(), st.text(min_size=1, max_size=20))
VALUES = st.fixed_dictionaries(
    {
        "score": st.one_of(st.none(), st.integers(0, 100)),
        "tier": st.sampled_from(["very_high", "high", "medium", "low"]),
        "probability": st.one_of(st.none(), st.floats(0, 1)),
        "expected_arr": st.one_of(st.none(), st.floats(0, 1e7)),
        "timing": st.sampled_from(["now", "d30", "d90", "hold"]),
        "health": st.sampled_from(["green", "yellow", "red", "unknown"]),
        "product": TEXT,
        "priority": st.one_of(st.none(), st.integers(1, 5000)),
        "reason_1": TEXT,
        "model_version": st.sampled_from(["2026.11.20-1", "2026.12.18-1"]),
    }
)
SOME = st.lists(st.sampled_from(["tier", "product", "reason_1", "priority", "score"]), unique=True)
DELTAS = st.floats(0.001, 1)


@pytest.fixture
def database() -> str:
    """The gate is arithmetic; `test_edits` reads the journal on both databases."""
    return "sqlite"


@pytest.fixture
def fields(world: Any) -> FieldMap:
    """Our fields as `install` creates them."""
    return field_map(world.crm)


def as_wanted(values: Mapping[str, Value], fields: FieldMap, at: datetime) -> dict[str, Value]:
    """What every cell of ours should hold: these values, and stamps of `at`."""
    plain = dict.fromkeys(fields.written) | dict(values) | {"scored_at": at, "data_as_of": at.date()}
    return {key: as_held(plain[key], field.schema) for key, field in fields.written.items()}


def by_name(values: Mapping[str, Value], fields: FieldMap) -> dict[str, Value]:
    """The same by the vendor's names."""
    return {fields.written[key].name: value for key, value in values.items()}


def journal(values: Mapping[str, Value], fields: FieldMap, at: datetime) -> dict[str, LastWritten]:
    """The entries after these cells were written at `at`."""
    names = by_name(values, fields)
    return {name: LastWritten(at=at, held=to_json(value)) for name, value in names.items()}


def seen(
    fields: FieldMap,
    held: Mapping[str, Value],
    wanted: Mapping[str, Value],
    at: datetime,
    *,
    ours: Mapping[str, Value] | None = None,
    noise: NoiseSettings = NOISE,
    now: datetime | None = None,
    record: str = "0011",
) -> Difference:
    """The difference where the record holds `held`, of which we wrote `ours` (all by default) at `at`."""
    before = Before(written=journal(held if ours is None else ours, fields, at), first_fill=frozenset())
    return compare(
        record, by_name(held, fields), wanted, fields, before, noise=noise, now=now or at + timedelta(days=7)
    )


@LAWS
@given(first=VALUES, second=VALUES, edited=SOME, emptied=SOME)
def test_nothing_is_left_to_write_after_a_write(
    fields: FieldMap,
    noon: datetime,
    first: dict[str, Value],
    second: dict[str, Value],
    edited: list[str],
    emptied: list[str],
) -> None:
    """Whatever differed, whoever edited: planning against what was just written gives nothing."""
    ours = as_wanted(first, fields, noon)
    wanted = as_wanted(second, fields, noon + timedelta(days=7))
    held = ours | {key: as_held("high", fields.written[key].schema) for key in edited}
    held |= dict.fromkeys(emptied)
    found = seen(fields, held, wanted, noon, ours=ours)

    written = {cell.key: cell.after for cell in found.cells}
    assert not {cell.key for cell in found.edited} & written.keys()
    again = seen(fields, held | written, wanted, noon, ours=ours | written)
    assert not again.cells
    assert {cell.key for cell in again.edited} == {cell.key for cell in found.edited}


@LAWS
@given(first=VALUES, second=VALUES, deltas=st.tuples(DELTAS, DELTAS))
def test_a_coarser_gate_lets_nothing_through_that_a_finer_one_holds_back(
    fields: FieldMap,
    noon: datetime,
    first: dict[str, Value],
    second: dict[str, Value],
    deltas: tuple[float, float],
) -> None:
    """Monotone in the delta: records and cells only become fewer."""
    held, wanted = as_wanted(first, fields, noon), as_wanted(second, fields, noon + timedelta(days=1))
    fine, coarse = (
        seen(fields, held, wanted, noon, noise=NoiseSettings(probability_delta=delta))
        for delta in sorted(deltas)
    )
    assert set(coarse.cells) <= set(fine.cells)
    assert set(coarse.news) <= set(fine.news)


@LAWS
@given(first=VALUES, second=VALUES)
def test_a_difference_is_every_cell_that_differs_and_no_other(
    fields: FieldMap, noon: datetime, first: dict[str, Value], second: dict[str, Value]
) -> None:
    """A record is written whole or not at all, each cell with what it holds and should hold."""
    held, wanted = as_wanted(first, fields, noon), as_wanted(second, fields, noon + timedelta(days=1))
    cells = seen(fields, held, wanted, noon).cells
    differing = {key for key in wanted if held[key] != wanted[key]}
    assert {cell.key for cell in cells} in (set(), differing)
    for cell in cells:
        assert (cell.before, cell.after) == (held[cell.key], wanted[cell.key])
        assert cell.name == fields.written[cell.key].name


@pytest.mark.parametrize(
    ("key", "value"), [("tier", "low"), ("product", "Analytics"), ("timing", "d90"), ("health", "red")]
)
def test_what_people_act_on_is_news(fields: FieldMap, noon: datetime, key: str, value: str) -> None:
    """One of these alone rewrites the record, and is named."""
    plain = {"tier": "high", "product": "Seats", "timing": "now", "health": "green", "priority": 3}
    held = as_wanted(plain, fields, noon)
    wanted = as_wanted(plain | {key: value, "priority": 9}, fields, noon + timedelta(days=1))
    found = seen(fields, held, wanted, noon)
    assert (found.cause, found.news, found.why) == (Cause.NEWS, (key,), key)
    assert {cell.key for cell in found.cells} == {key, "priority", "scored_at", "data_as_of"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("expected_arr", 9e6), ("priority", 4000), ("reason_1", "Another reason"), ("score", 42)],
)
def test_what_only_moves_along_is_noise(fields: FieldMap, noon: datetime, key: str, value: Value) -> None:
    """It is written with the next news, or when it has grown old."""
    plain = {"expected_arr": 1.0, "priority": 3, "reason_1": "A reason", "score": 41, "probability": 0.414}
    held = as_wanted(plain, fields, noon)
    found = seen(fields, held, as_wanted(plain | {key: value}, fields, noon), noon)
    assert (found.cells, found.is_noise) == ((), True)


def test_stamps_alone_are_no_difference(fields: FieldMap, noon: datetime) -> None:
    """A date and a version say nothing; the record counts as unchanged, not as noise."""
    held = as_wanted({"model_version": "2026.11.20-1"}, fields, noon)
    wanted = as_wanted({"model_version": "2026.12.18-1"}, fields, noon + timedelta(days=1))
    assert seen(fields, held, wanted, noon) == Difference()


@pytest.mark.parametrize(
    ("before", "after", "is_move"),
    [(0.25, 0.30, True), (0.30, 0.25, True), (0.25, 0.2999, False), (None, 0.01, True), (0.4, None, True)],
)
def test_a_probability_moves_by_the_stated_delta(
    before: float | None, after: float | None, is_move: bool
) -> None:
    """Exactly the delta is a move, though 0.30 - 0.25 is a little less than 0.05 to the machine."""
    assert moved(before, after, 0.05) is is_move


def test_without_a_probability_in_the_crm_the_score_moves_by_the_same_delta(
    world: Any, noon: datetime
) -> None:
    """RevOps may leave the probability out."""
    fields = field_map(world.crm, {"probability": ""})
    noise = NoiseSettings(probability_delta=0.05)
    held = as_wanted({"score": 40}, fields, noon)
    near, far = (
        seen(fields, held, as_wanted({"score": score}, fields, noon), noon, noise=noise) for score in (44, 45)
    )
    assert not near.cells
    assert far.news == ("score",)


def test_what_has_grown_old_is_refreshed_as_a_whole(fields: FieldMap, noon: datetime) -> None:
    """Nothing stands longer than 28 days, and that is no news."""
    held = as_wanted({"reason_1": "Seats 90 % used"}, fields, noon)
    now = noon + timedelta(days=NOISE.refresh_days)
    wanted = as_wanted({"reason_1": "Seats 91 % used"}, fields, now)
    for record in map(str, range(50)):
        found = seen(fields, held, wanted, noon, now=now, record=record)
        assert (found.cause, found.news) == (Cause.REFRESH, ())
        assert {cell.key for cell in found.cells} == {"reason_1", "scored_at", "data_as_of"}


def test_records_written_together_are_not_refreshed_together(fields: FieldMap, noon: datetime) -> None:
    """On each of the 14 days before, about a fourteenth of them; none earlier."""
    held, per_day = as_wanted({}, fields, noon), []
    due: set[str] = set()
    for day in range(NOISE.refresh_days + 1):
        now = noon + timedelta(days=day)
        wanted = as_wanted({}, fields, now)
        found = {
            record
            for record in map(str, range(2000))
            if seen(fields, held, wanted, noon, now=now, record=record).cells
        }
        per_day.append(len(found - due))
        due |= found
    first = NOISE.refresh_days - NOISE.spread_days
    assert per_day[: first + 1] == [0] * (first + 1)
    assert len(due) == 2000
    assert max(per_day) < 2 * 2000 / NOISE.spread_days


def test_the_day_of_a_record_does_not_move() -> None:
    """It depends on the id alone: the same in every process."""
    assert [days_early(record, 14) for record in ("001A", "001B", "001C")] == [2, 9, 7]


def test_where_the_stamp_is_left_out_the_journal_knows_the_age(world: Any, noon: datetime) -> None:
    """RevOps may leave scored_at out."""
    fields = field_map(world.crm, {"scored_at": ""})
    held = as_wanted({"reason_1": "A"}, fields, noon)
    wanted = as_wanted({"reason_1": "B"}, fields, noon)
    young, old = (
        seen(fields, held, wanted, noon, now=noon + timedelta(days=days)) for days in (1, NOISE.refresh_days)
    )
    assert not young.cells
    assert old.cause is Cause.REFRESH


def test_a_cell_that_someone_emptied_is_filled_again(fields: FieldMap, noon: datetime) -> None:
    """Emptying it is how a person gives a cell back."""
    ours = as_wanted({"reason_1": "A reason", "reason_2": None}, fields, noon)
    held = ours | {"reason_1": None}
    found = seen(fields, held, ours | {"reason_2": "Another"}, noon, ours=ours)
    assert found.news == ("reason_1",)
    assert {cell.key for cell in found.cells} == {"reason_1", "reason_2"}


def test_a_person_s_stamp_does_not_make_a_record_old_for_ever(fields: FieldMap, noon: datetime) -> None:
    """The journal says when we wrote it."""
    ours = as_wanted({"reason_1": "A"}, fields, noon)
    held = ours | {"scored_at": datetime(2001, 1, 1, tzinfo=noon.tzinfo)}
    found = seen(fields, held, ours | {"reason_1": "B", "scored_at": noon}, noon, ours=ours)
    assert [cell.key for cell in found.edited] == ["scored_at"]
    assert (found.cells, found.is_noise) == ((), True)


def test_a_new_record_is_a_first_fill_and_no_change(fields: FieldMap, noon: datetime) -> None:
    """A customer of this week has nothing to compare with."""
    wanted = as_wanted({"tier": "high", "probability": 0.4}, fields, noon)
    found = seen(fields, dict.fromkeys(wanted), wanted, noon, ours={})
    assert found.cause is Cause.FIRST_FILL
    assert {cell.key for cell in found.cells} >= {"tier", "probability", "scored_at"}


def test_a_field_that_is_new_in_the_org_is_filled_on_every_record(fields: FieldMap, noon: datetime) -> None:
    """RevOps maps a field of theirs: that is a first fill, also where it holds something."""
    name = fields.written["arr_low"].name
    ours = as_wanted({"tier": "high", "arr_low": 5.0}, fields, noon)
    before = Before(written=journal(ours, fields, noon), first_fill=frozenset({name}))
    for held in (None, 77.0):
        found = compare(
            "0011",
            by_name(ours | {"arr_low": held}, fields),
            ours,
            fields,
            before,
            noise=NOISE,
            now=noon + timedelta(days=1),
        )
        assert (found.cause, [cell.key for cell in found.cells]) == (Cause.FIRST_FILL, ["arr_low"])


def test_a_plan_made_against_what_was_just_written_is_empty(world: Any, score: Score) -> None:
    """The second run writes nothing, whatever the first one wrote."""
    world.apply(world.plan(score(1), score(2)))
    world.now += timedelta(days=7)
    moved_on = (score(1, tier="medium"), score(2, probability=0.2, priority=90))
    first = world.plan(*moved_on)
    assert len(first.changes) == 2
    world.apply(first)
    assert not world.plan(*moved_on).changes


def test_a_spread_longer_than_the_age_is_refused() -> None:
    """A record would be refreshed before it was written."""
    with pytest.raises(ValueError, match="spread_days"):
        NoiseSettings(refresh_days=7, spread_days=8)


def test_a_day_that_only_moved_on_refreshes_nothing(world: Any, score: Score) -> None:
    """Not even weekly: the age is the record's, not the run's."""
    world.apply(world.plan(score(1)))
    world.now += timedelta(days=13)
    assert not world.plan(score(1, as_of=date(2026, 12, 5))).changes
