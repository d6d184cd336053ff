"""A desk at which a fake Claude on loopback writes, and requests of made-up accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from infra.doubles.anthropic.server import KEY, FakeAnthropic, fake_anthropic
from model.stakeholders import Contact, Reach
from sync.brief_desk import open_desk
from sync.briefs.desk import Desk
from sync.briefs.draft import BriefRequest, Offer
from sync.briefs.facts import Fact
from sync.settings import Owners
from sync.settings_briefs import BriefSettings
from sync.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)


@dataclass
class Office:
    """A ledger, a fake server, and desks that ask it; nothing sleeps, and what was said is kept."""

    store: Store
    fake: FakeAnthropic
    opened: ExitStack
    now: datetime = NOW
    slept: list[float] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    runs: int = 0

    def desk(self, *, run_id: str = "", gives_up_after: int = 1000, **options: Any) -> Desk:
        """The desk of a new run; options are those of [briefs]."""
        self.runs += 1
        plain = {
            "base_url": self.fake.url,
            "api_key": SecretStr(KEY),
            "timeout_seconds": 5.0,
            "batch_from": 1000,
        }
        settings = BriefSettings(provider="anthropic", **(plain | options))
        desk = self.opened.enter_context(
            open_desk(
                settings,
                self.store,
                run_id=run_id or f"run-{self.runs}",
                clock=lambda: self.now,
                sleep=self.slept.append,
                tell=lambda _: None,
                notice=self.notices.append,
            )
        )
        assert desk is not None
        desk.claude.gives_up_after = gives_up_after
        return desk


@pytest.fixture
def database() -> str:
    """A ledger file: what differs between databases is tested in `test_brief_ledger`."""
    return "sqlite"


@pytest.fixture
def fake() -> Iterator[FakeAnthropic]:
    """The Messages API on loopback, answering with sound drafts."""
    with fake_anthropic() as server:
        yield server


@pytest.fixture
def office(ledger: Store, fake: FakeAnthropic) -> Iterator[Office]:
    """An office that has written nothing yet."""
    with ExitStack() as opened:
        yield Office(store=ledger, fake=fake, opened=opened)


def request_of(number: int = 1, **changes: Any) -> BriefRequest:
    """A request about account `a<number>`; `goal` and `notes` are free text of its notes."""
    goal = changes.pop("goal", "have every site plan its work in one place")
    notes = changes.pop("notes", ())
    facts = [
        Fact(id="seats", value=100 + number, unit="seats", source="billing", day=DAY),
        Fact(id="active_users", value=97, unit="users", source="usage", day=DAY),
        Fact(id="arr_low", value=12000.0, unit="money", source="model", day=DAY),
        Fact(id="arr_high", value=51000.0, unit="money", source="model", day=DAY),
        Fact(
            id="reason_1", value="Seats 96 % used (usage, 20 Nov)", unit="sentence", source="model", day=DAY
        ),
    ]
    if goal:
        facts.append(Fact(id="goal", value=goal, unit="text", source="notes", day=DAY))
    facts += [
        Fact(id=f"note_{n}", value=text, unit="text", source="notes", day=DAY)
        for n, text in enumerate(notes, start=1)
    ]
    plain: dict[str, Any] = {
        "account_id": f"a{number}",
        "account_name": "Northwind Traders",
        "play": "expand",
        "offer": Offer(product="More seats", type="seat"),
        "evidence": {fact.id: fact for fact in facts},
        "currency": "USD",
        "reach": Reach(
            contact=Contact(crm_id=f"C{number}", name="Dana Ortiz", title="VP Operations", role="champion"),
            reason="champion",
        ),
    }
    return BriefRequest(**(plain | changes))


@pytest.fixture(scope="session")
def make_request() -> Callable[..., BriefRequest]:
    """Make a request about an account."""
    return request_of


@pytest.fixture(scope="session")
def make_fifty(make_company: Callable[[int], Any], make_settings: Callable[..., Any]) -> tuple[Any, Any]:
    """Tables of fifty accounts, and settings under which each of them gets a task."""
    return make_company(50), make_settings(owners=Owners(slots_per_week=500))
