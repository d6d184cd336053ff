"""Many briefs go as one batch: read by whichever process comes first, sent once, at half the price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from sync.briefs.draft import BriefRequest
from sync.briefs.writing import write_briefs
from sync.store.briefs import BriefBatchRow, BriefSpendRow

Make = Callable[..., BriefRequest]


def requests(make_request: Make, count: int = 5) -> list[BriefRequest]:
    """Requests about as many accounts."""
    return [make_request(n) for n in range(count)]


def spent(office: Any) -> list[tuple[str, int]]:
    """What the ledger says of each reservation."""
    with office.store.session() as session:
        return [(row.status, row.micros) for row in session.scalars(select(BriefSpendRow))]


def statuses(office: Any) -> list[str]:
    """How each batch stands."""
    with office.store.session() as session:
        return list(session.scalars(select(BriefBatchRow.status).order_by(BriefBatchRow.sent_at)))


def test_many_briefs_are_one_batch_at_half_the_price(office: Any, make_request: Make) -> None:
    """Results come in any order, and each goes to its account."""
    desk = office.desk(batch_from=5)
    written = write_briefs(requests(make_request), desk)
    assert {each.writer for each in written.values()} == {"anthropic"}
    assert (len(office.fake.batches), len(office.fake.requests)) == (1, 0)
    for number in range(5):
        assert f"{100 + number} seats" not in written[f"a{(number + 1) % 5}"].brief.full
    ((status, cost),) = spent(office)
    usage = office.fake.usage
    full = usage["input_tokens"] * 2 + usage["output_tokens"] * 10
    full += usage["cache_creation_input_tokens"] * 2.5 + usage["cache_read_input_tokens"] * 0.2
    assert (status, cost) == ("settled", pytest.approx(full / 2, abs=5))
    assert office.slept == [2.0]
    assert "in a batch at half the price" in office.notices[0]


def test_a_batch_that_is_late_serves_the_next_plan(office: Any, make_request: Make) -> None:
    """The template goes out after the wait; the answers are not paid for again."""
    office.fake.polls = 10**6
    first = office.desk(batch_from=5, batch_wait_minutes=10)
    assert {each.writer for each in write_briefs(requests(make_request), first).values()} == {"template"}
    assert first.report.by_template == {"waiting": 5}
    assert sum(office.slept) == 600
    office.fake.polls = 0
    second = office.desk(batch_from=5)
    assert {each.writer for each in write_briefs(requests(make_request), second).values()} == {"anthropic"}
    assert (second.report.kept, second.report.asked, len(office.fake.batches)) == (5, 0, 1)


def test_a_killed_process_leaves_a_batch_that_the_next_one_reads(office: Any, make_request: Make) -> None:
    """It is not sent again, while it is under way nor afterwards."""

    class KilledError(BaseException):
        pass

    def kill(_: float) -> None:
        raise KilledError

    desk = office.desk(batch_from=5)
    desk.sleep = kill
    with pytest.raises(KilledError):
        write_briefs(requests(make_request), desk)
    assert statuses(office) == ["sent"]
    written = write_briefs(requests(make_request), office.desk(batch_from=5))
    assert {each.writer for each in written.values()} == {"anthropic"}
    assert (len(office.fake.batches), statuses(office)) == (1, ["read"])


def test_a_batch_whose_reply_was_lost_is_found_again(office: Any, make_request: Make) -> None:
    """The vendor took it: it is looked for among the newest, and not sent again."""
    office.fake.deaf = True
    written = write_briefs(requests(make_request), office.desk(batch_from=5))
    assert {each.writer for each in written.values()} == {"anthropic"}
    assert (len(office.fake.batches), statuses(office)) == (1, ["read"])


def test_a_batch_that_never_arrived_is_sent_again_and_costs_nothing(office: Any, make_request: Make) -> None:
    """Once no other process can be sending it any more."""
    desk = office.desk(batch_from=5, batch_wait_minutes=0)
    desk.claude.client = desk.claude.client.with_options(base_url="http://127.0.0.1:1")
    assert {each.writer for each in write_briefs(requests(make_request), desk).values()} == {"template"}
    assert statuses(office) == ["sending"]
    office.now += timedelta(minutes=11)
    written = write_briefs(requests(make_request), office.desk(batch_from=5))
    assert {each.writer for each in written.values()} == {"anthropic"}
    assert statuses(office) == ["lost", "read"]
    assert spent(office)[0] == ("settled", 0)


def test_a_service_that_is_away_is_not_waited_for_half_an_hour(office: Any, make_request: Make) -> None:
    """After four looks without an answer the template goes out; the batch stays in the ledger."""
    desk = office.desk(batch_from=5)
    desk.sleep = lambda seconds: (
        office.slept.append(seconds)
        or setattr(desk.claude, "client", desk.claude.client.with_options(base_url="http://127.0.0.1:1"))
    )
    write_briefs(requests(make_request), desk)
    assert desk.report.by_template == {"waiting": 5}
    assert len(office.slept) == 4
    assert statuses(office) == ["sent"]


@pytest.mark.parametrize("fate", ["errored", "canceled", "expired"])
def test_a_question_that_a_batch_did_not_answer_goes_to_the_template(
    office: Any, make_request: Make, fate: str
) -> None:
    """The others are written by Claude; the next plan asks for it again."""
    asked = requests(make_request)
    lost: list[str] = []

    def ends(key: str) -> str:
        lost[:] = lost or [key]
        return fate if key in lost else "succeeded"

    office.fake.ends = ends
    desk = office.desk(batch_from=5)
    writers = [each.writer for each in write_briefs(asked, desk).values()]
    assert sorted(writers) == ["anthropic"] * 4 + ["template"]
    assert desk.report.by_template == {"rejected": 1}
    again = office.desk(batch_from=5)
    write_briefs(asked, again)
    assert (again.report.kept, again.report.asked) == (4, 1)


def test_an_unsound_answer_of_a_batch_is_asked_for_once_more(office: Any, make_request: Make) -> None:
    """With the reasons, by a question of its own."""
    sound = office.fake.brain
    office.fake.brain = lambda request: sound(request) if len(request["messages"]) > 1 else "{}"
    written = write_briefs(requests(make_request), office.desk(batch_from=5))
    assert {each.writer for each in written.values()} == {"anthropic"}
    assert len(office.fake.requests) == 5


def test_a_batch_is_no_larger_than_the_caps_allow(office: Any, make_request: Make) -> None:
    """What does not fit goes to the template."""
    desk = office.desk(batch_from=5, max_cost_per_run=0.2)
    write_briefs(requests(make_request, 20), desk)
    assert desk.report.by_template["cap"] + desk.report.by_claude == 20
    assert 3 < desk.report.by_claude < 12
    assert sum(cost for _, cost in spent(office)) <= 200_000


def test_a_batch_that_the_vendor_refuses_costs_nothing(office: Any, make_request: Make) -> None:
    """The template goes out, and nothing is waited for."""
    desk = office.desk(batch_from=5)
    desk.claude.model = ""
    assert {each.writer for each in write_briefs(requests(make_request), desk).values()} == {"template"}
    assert (statuses(office), spent(office), office.slept) == (["lost"], [("settled", 0)], [])


def test_results_are_fetched_from_nowhere_else(office: Any, make_request: Make) -> None:
    """A link to another host would be given our key."""
    batch = office.fake.batch
    office.fake.batch = lambda batch_id: batch(batch_id) | {"results_url": "https://evil.example/results"}
    desk = office.desk(batch_from=5)
    assert {each.writer for each in write_briefs(requests(make_request), desk).values()} == {"template"}
    assert statuses(office) == ["lost"]
