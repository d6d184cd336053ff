"""Claude writes where its draft is sound and paid for; whatever goes wrong, each account gets one task."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from infra.doubles.anthropic.server import FakeAnthropic, sound, told
from infra.doubles.strict_crm import StrictCrm
from sync.briefs.claude import FIRST_WAIT, Fault
from sync.briefs.cost import Price, Usage, micros
from sync.briefs.draft import BriefRequest
from sync.briefs.writing import write_briefs
from sync.settings import Owners
from sync.store.briefs import BriefDraftRow, BriefSpendRow
from sync.store.writeback import TaskRow

Make = Callable[..., BriefRequest]

FAULTS = {
    "busy": Fault.BUSY,
    "error": Fault.AWAY,
    "overloaded": Fault.AWAY,
    "hang": Fault.LATE,
    "broken": Fault.BROKEN,
    "malformed": Fault.UNSOUND,
    "schema": Fault.UNSOUND,
    "refusal": Fault.DECLINED,
    "max_tokens": Fault.CUT,
    "context": Fault.TOO_LONG,
    "unauthorized": Fault.DENIED,
    "too_long": Fault.REJECTED,
}
TWICE = {"busy", "error", "overloaded", "hang", "broken", "malformed", "schema", "max_tokens"}


def paid(fake: FakeAnthropic) -> int:
    """What the vendor's own count comes to, in millionths of a dollar."""
    used = Usage(
        input=fake.usage["input_tokens"],
        output=fake.usage["output_tokens"],
        cache_write=fake.usage["cache_creation_input_tokens"],
        cache_read=fake.usage["cache_read_input_tokens"],
    )
    return micros(used, Price.of("2", "10"))


def booked(office: Any) -> int:
    """What the ledger says was spent."""
    with office.store.session() as session:
        return session.scalar(select(func.sum(BriefSpendRow.micros))) or 0


def test_claude_writes_the_brief_of_a_task(office: Any, make_request: Make) -> None:
    """Its prose, our facts: the names and figures are filled in afterwards."""
    desk = office.desk()
    written = write_briefs([make_request()], desk)["a1"]
    assert written.writer == "anthropic"
    assert "More seats" in written.brief.full
    assert "Dana Ortiz" in written.brief.full
    assert "{" not in written.brief.full
    assert "“have every site plan its work in one place”" in written.brief.full
    assert desk.report.by_claude == 1
    assert float(written.cost) * 1e6 == pytest.approx(paid(office.fake), abs=1)


def test_money_of_a_year_says_so(office: Any, make_request: Make) -> None:
    """The model writes no words of time, so our code does."""
    draft = {"proposal": "Show {product}. Accounts like this add between {arr_low} and {arr_high}."}
    office.fake.brain = lambda request: json.dumps(json.loads(sound(request)) | draft)
    for language, said in (("en", "$51,000 a year."), ("en-GB", "US$51,000 a year.")):
        written = write_briefs([make_request(language=language)], office.desk())["a1"]
        assert (written.writer, said in written.brief.full) == ("anthropic", True), written.brief.full


def test_the_ledger_keeps_who_wrote_the_brief_of_a_task(office: Any, world: Any, score: Any) -> None:
    """The frozen plan holds the text that the CRM gets, with its writer."""
    plan = world.plan(score(1), score(2), desk=office.desk())
    assert {task.writer for task in plan.tasks} == {"anthropic"}
    world.apply(plan)
    with world.store.session() as session:
        rows = session.scalars(select(TaskRow)).all()
        assert {(row.writer, row.language, len(row.evidence_hash)) for row in rows} == {
            ("anthropic", "en", 64)
        }
    assert plan.summary["briefs"]["by_claude"] == 2


def test_what_it_will_cost_is_said_before_anything_is_sent(office: Any, make_request: Make) -> None:
    """Briefs, tokens, money, and what the caps leave."""
    desk = office.desk()
    desk.notice = lambda text: office.notices.append(f"{len(office.fake.bodies)} sent: {text}")
    write_briefs([make_request(1), make_request(2)], desk)
    (notice,) = office.notices
    assert notice.startswith("0 sent: Briefs by claude-sonnet-5-5: ask for 2 one by one, 0 kept; about ")
    assert "the caps leave USD 5.00" in notice


def test_an_unchanged_question_is_not_asked_again(office: Any, make_request: Make) -> None:
    """Not even where the day of a figure moved on; a changed figure asks anew."""
    write_briefs([make_request()], office.desk())
    again = office.desk()
    written = write_briefs([make_request()], again)["a1"]
    assert (written.writer, written.cost, again.report.kept) == ("anthropic", 0, 1)
    assert len(office.fake.requests) == 1
    write_briefs([make_request(goal="bring every site on board")], office.desk())
    assert len(office.fake.requests) == 2


def test_the_fixed_part_of_the_prompt_is_read_from_the_cache(office: Any, make_request: Make) -> None:
    """It is the same for every account, and stands first."""
    write_briefs([make_request(n) for n in range(5)], office.desk())
    assert len({json.dumps(each["system"]) for each in office.fake.requests}) == 1
    assert office.fake.requests[0]["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert (
        office.fake.usage["cache_read_input_tokens"] == 4 * office.fake.usage["cache_creation_input_tokens"]
    )


def test_an_unsound_draft_is_asked_for_once_more_with_the_reasons(office: Any, make_request: Make) -> None:
    """The model is told which part broke which rule; a sound second draft goes out."""
    calls: list[int] = []

    def better(request: dict[str, Any]) -> str:
        calls.append(len(request["messages"]))
        draft = json.loads(sound(request))
        return json.dumps(draft | ({"ask": "Ask Globex to sign by May."} if len(calls) == 1 else {}))

    office.fake.brain = better
    written = write_briefs([make_request()], office.desk())["a1"]
    assert (written.writer, calls) == ("anthropic", [1, 3])
    told = office.fake.requests[1]["messages"][2]["content"]
    assert "ask: name or capital (Globex)" in told
    assert "ask: time or date in words (may)" in told


def test_a_draft_that_stays_unsound_gives_way_to_the_template_for_good(
    office: Any, make_request: Make
) -> None:
    """Two tries are paid; the same question is not asked a third time."""
    office.fake.brain = lambda request: json.dumps(json.loads(sound(request)) | {"ask": "Pay 500 dollars."})
    desk = office.desk()
    written = write_briefs([make_request()], desk)["a1"]
    assert written.writer == "template"
    assert desk.report.by_template == {"unsound": 1}
    assert desk.report.refused["ask: forbidden character"] == 4  # two digits, twice
    write_briefs([make_request()], office.desk())
    assert len(office.fake.requests) == 2
    with office.store.session() as session:
        (row,) = session.scalars(select(BriefDraftRow)).all()
        assert (row.draft, row.problems, row.tries) == (None, "unsound", 2)


def test_four_hundred_and_fifty_faults_make_as_many_tasks(
    office: Any, world: Any, score: Any, make_settings: Any, make_company: Any, make_tables: Any
) -> None:
    """Nine kinds, fifty times each: one task for each account, by the template, and the cap is kept."""
    kinds = [kind for kind in FAULTS if kind not in ("hang", "unauthorized", "too_long")]
    count, cap = 50 * len(kinds), 20.0
    office.fake.fault = lambda request: kinds[
        int(told(request)["facts"]["seats"]["reads"].split()[0]) % len(kinds)
    ]
    billing = [
        {"account_id": f"a{n}", "period_start": date(2026, 11, 1), "seats": 100.0 + n, "arr": 84000.0}
        for n in range(count)
    ]
    world.tables = make_company(count) | make_tables(billing=billing)
    world.settings = make_settings(owners=Owners(slots_per_week=500))
    world.crm = StrictCrm(records={f"001{n}": {} for n in range(count)})
    plan = world.plan(
        *(score(1, account_id=f"a{n}", crm_id=f"001{n}", priority=n) for n in range(count)),
        desk=office.desk(max_cost_per_run=cap, max_tokens_per_run=10_000_000),
    )
    assert Counter(task.account_id for task in plan.tasks) == {f"a{n}": 1 for n in range(count)}
    assert len({task.draft.key for task in plan.tasks}) == count
    assert {task.writer for task in plan.tasks} == {"template"}
    expected = Counter({"cap": 0})
    for kind in kinds:
        assert office.fake.faults[kind] == (100 if kind in TWICE else 50), kind
        expected[FAULTS[kind].value] += 50
    assert plan.summary["briefs"]["by_claude"] == 0
    assert Counter(plan.summary["briefs"]["by_template"]) == +expected
    assert paid(office.fake) <= booked(office) <= cap * 1_000_000
    world.apply(plan)
    made = Counter(task.account_crm_id for task in world.crm.tasks.values())
    assert made == {f"001{n}": 1 for n in range(count)}


@pytest.mark.parametrize(
    ("fault", "outcome", "calls"), [("hang", "late", 100), ("unauthorized", "denied", 1)]
)
def test_fifty_that_get_no_answer_make_fifty_tasks(
    office: Any, world: Any, score: Any, make_fifty: Any, fault: str, outcome: str, calls: int
) -> None:
    """What hangs is asked twice; a key that is refused is not tried again. What may be billed counts."""
    office.fake.fault = lambda _: fault
    desk = office.desk(timeout_seconds=0.03, max_cost_per_run=20.0)
    desk.claude.client.timeout = 0.03 if fault == "hang" else 5.0
    world.tables, world.settings = make_fifty
    world.crm = StrictCrm(records={f"001{n}": {} for n in range(50)})
    plan = world.plan(*(score(n, priority=n) for n in range(50)), desk=desk)
    world.apply(plan)
    made = Counter(task.account_crm_id for task in world.crm.tasks.values())
    assert made == {f"001{n}": 1 for n in range(50)}
    assert office.fake.faults[fault] == calls
    told_of_it = plan.summary["briefs"]["by_template"]
    assert sum(told_of_it.values()) == 50
    assert set(told_of_it) == {outcome} | ({"gave_up"} if fault == "unauthorized" else set())
    assert (booked(office) > 0) is (fault == "hang")


@pytest.mark.parametrize("fault", sorted(TWICE))
def test_a_fault_that_passes_costs_a_second_try_only(office: Any, make_request: Make, fault: str) -> None:
    """The second answer is sound, and goes out."""
    office.fake.fault = lambda _: fault if len(office.fake.requests) == 1 else ""
    office.fake.retry_after = "7"
    desk = office.desk(timeout_seconds=0.5 if fault == "hang" else 10.0)
    written = write_briefs([make_request()], desk)["a1"]
    assert (written.writer, len(office.fake.requests)) == ("anthropic", 2)
    waits = {"busy": [7.0], **{kind: [FIRST_WAIT] for kind in ("error", "overloaded", "hang", "broken")}}
    assert office.slept == waits.get(fault, [])


def test_a_server_that_asks_for_too_long_a_wait_is_not_waited_for(office: Any, make_request: Make) -> None:
    """The plan goes on with the template."""
    office.fake.fault, office.fake.retry_after = (lambda _: "busy"), "86400"
    desk = office.desk()
    write_briefs([make_request()], desk)
    assert (office.slept, desk.report.by_template) == ([], {"busy": 1})


def test_a_redirect_is_not_followed(office: Any, make_request: Make) -> None:
    """What was asked goes to the host of the settings and to no other."""
    office.fake.fault = lambda _: "elsewhere"
    desk = office.desk()
    write_briefs([make_request()], desk)
    assert (desk.report.by_template, len(office.fake.bodies)) == ({"rejected": 1}, 1)


def test_the_environment_of_other_programs_is_not_obeyed(
    office: Any, make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Host and key are those of the settings, whatever the SDK finds elsewhere."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "of-somebody-else")
    assert write_briefs([make_request()], office.desk())["a1"].writer == "anthropic"


def test_a_service_that_is_away_is_not_asked_for_every_account(office: Any, make_request: Make) -> None:
    """After four briefs in a row the rest go out by the template at once."""
    office.fake.fault = lambda _: "overloaded"
    desk = office.desk(gives_up_after=4)
    write_briefs([make_request(n) for n in range(10)], desk)
    assert desk.report.by_template == {"away": 4, "gave_up": 6}
    assert len(office.fake.requests) == 8


def test_a_language_that_the_check_does_not_know_is_left_to_the_template(
    office: Any, make_request: Make
) -> None:
    """Nothing is sent."""
    desk = office.desk()
    desk.draft([make_request(language="it")])
    assert (office.fake.bodies, desk.report.by_template) == ([], {"language": 1})


@pytest.mark.parametrize(
    "caps",
    [{"max_cost_per_run": 0.08}, {"max_cost_per_day": 0.08}, {"max_tokens_per_run": 25_000}],
    ids=lambda caps: next(iter(caps)),
)
def test_a_cap_is_kept(office: Any, make_request: Make, caps: dict[str, float]) -> None:
    """What no longer fits goes out by the template; what was spent is what the vendor counted."""
    desk = office.desk(**caps)
    write_briefs([make_request(n) for n in range(20)], desk)
    assert desk.report.by_template["cap"] > 0
    assert desk.report.by_claude > 0
    assert paid(office.fake) <= booked(office) <= paid(office.fake) + len(office.fake.requests)
    assert booked(office) <= 80_000
    assert sum(office.fake.usage.values()) <= 25_000 or "max_tokens_per_run" not in caps


def test_the_cap_of_a_day_holds_over_runs(office: Any, make_request: Make) -> None:
    """A second run finds what the first has spent, and the next day begins anew."""
    for start in (0, 100):
        write_briefs([make_request(start + n) for n in range(9)], office.desk(max_cost_per_day=0.08))
    assert booked(office) <= 80_000
    left = office.desk(max_cost_per_day=0.08).purse.left()
    assert left < 60_000
    office.now += timedelta(days=1)
    assert office.desk(max_cost_per_day=0.08).purse.left() == 80_000
