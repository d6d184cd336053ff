"""What choosing the week's tasks costs, and what it is worth; one JSON object a line.

    python infra/bench/bench_capacity.py                    50,000 accounts × 500 owners, as `make bench` does
    python infra/bench/bench_capacity.py --accounts 5000    fewer

Worths are log-normal, so that few accounts matter much. Against HiGHS, which solves the same problem with a
variable for each account and taker, on a tenth of the company: all of it took HiGHS 46 CPU seconds where two
people may take an account, and more than four minutes with pools. And against going down the list once, each
account to its first choice. CPU seconds are of all threads of the process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from sync.capacity import Bid, allot
from sync.choosing import Week, choose
from sync.context import Account
from sync.play_rules import PlayRules
from sync.settings import CrmLogin, Settings
from sync.settings_tasks import Owners, PlaySettings
from sync.task_book import TaskBook
from sync.tasks import Candidate
from sync.team import Team

OWNERS: Final = 500
SLOTS: Final = 5
LIMIT: Final = 10  # CPU seconds for 50,000 accounts × 500 owners, whole
AS_OF: Final = date(2026, 11, 22)
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
POOL: Final = 20  # people; half of all people are in one


def week_of(accounts: int, owners: int, kind: str, chance: random.Random) -> tuple[list[Bid], dict[str, int]]:
    """Accounts that want a slot: of their owner alone, of one of two people, or of a pool of twenty."""
    people = [f"U{number:03}" for number in range(owners)]
    bids = []
    for number in range(accounts):
        luck = chance.random()
        if kind == "pool" and luck < 0.3:
            first = POOL * chance.randrange(owners // POOL // 2)
            takers = tuple(people[first : first + POOL])
        elif kind != "alone" and luck < 0.7:
            takers = tuple(chance.sample(people, 2))
        else:
            takers = (chance.choice(people),)
        worth = chance.lognormvariate(9, 1.2)
        bids.append(Bid(account=f"a{number:05}", play="expand", worth=worth, takers=takers, rank=number))
    return bids, dict.fromkeys(people, SLOTS)


def worth_of(bids: Sequence[Bid], room: Mapping[str, int]) -> float:
    """The worth of the week as it is given out."""
    worth = {bid.account: bid.worth for bid in bids}
    return sum(worth[place.account] for place in allot(bids, room).places)


def by_highs(bids: Sequence[Bid], room: Mapping[str, int]) -> float:
    """The worth of the best week by HiGHS."""
    pairs = [(at, taker) for at, bid in enumerate(bids) for taker in bid.takers]
    place = {taker: len(bids) + at for at, taker in enumerate(room)}
    rows = np.array([row for at, taker in pairs for row in (at, place[taker])])
    columns = np.repeat(np.arange(len(pairs)), 2)
    most = np.array([*(1.0 for _ in bids), *(float(each) for each in room.values())])
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(most), len(pairs)))
    worth = np.array([bids[at].worth for at, _ in pairs])
    solved = milp(
        -worth / worth.max(),
        integrality=np.ones(len(pairs)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, most),
        options={"mip_rel_gap": 0.0},
    )
    return float(-solved.fun * worth.max())


def down_the_list(bids: Sequence[Bid], room: Mapping[str, int]) -> float:
    """What one gets who gives each account to its first choice, or to nobody."""
    left, worth = Counter(room), 0.0
    for bid in sorted(bids, key=lambda each: -each.worth):
        if left[bid.takers[0]] > 0:
            left[bid.takers[0]] -= 1
            worth += bid.worth
    return worth


def candidates_of(accounts: int, chance: random.Random) -> list[Candidate]:
    """Scored accounts, half of them ready for a task."""
    made = []
    for number in range(accounts):
        score = {
            "account_id": f"a{number:05}", "crm_id": f"001{number}", "as_of": AS_OF, "priority": number,
            "tier": chance.choice(("very_high", "high", "medium", "low")), "product": "seats",
            "timing": chance.choice(("now", "d30", "d90")), "is_pipeline": chance.random() < 0.05,
            "health": chance.choice(("green", "green", "yellow", "red")), "reasons": [], "against": [],
            "expected_arr": chance.lognormvariate(9, 1.2), "reason_codes": [], "probability": 0.4,
        }  # fmt: skip
        owner = f"U{chance.randrange(OWNERS):03}"
        account = Account(account_id=score["account_id"], name=f"Company {number}", owner_id=owner)
        made.append(Candidate(score=score, account=account, said={}, reach=None))
    return made


def whole(candidates: Sequence[Candidate]) -> int:
    """How many tasks were chosen, reasons for all the others included."""
    plays = {"big": PlaySettings(trigger="expected_arr >= 20000 and product_type = 'seat'", weight=1.2)}
    settings = Settings(crm=CrmLogin(kind="salesforce"), owners=Owners(slots_per_week=SLOTS), plays=plays)
    rules = PlayRules(plays=plays, product_types={"seats": "seat"})
    found = rules.fits(candidates, {}, AS_OF)
    fits = {each.account.account_id: own for each, own in zip(candidates, found, strict=True)}
    team = Team(rules=settings.owners)
    week = Week(settings=settings, team=team, book=TaskBook(), as_of=AS_OF, now=NOW)
    chosen, skips = choose(candidates, fits, week, lambda _: frozenset())
    assert len(chosen) + len(skips) == len(candidates)
    return len(chosen)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of all threads, and what came of it."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, found


def tell(name: str, value: float, unit: str, compared_with: str) -> None:
    """One line."""
    print(
        json.dumps({"name": name, "value": value, "unit": unit, "compared_with": compared_with}), flush=True
    )


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=50_000)
    accounts = parser.parse_args().accounts
    for kind in ("alone", "two", "pool"):
        bids, room = week_of(accounts // 10, OWNERS // 10, kind, random.Random(1))
        small_seconds, small = timed(lambda bids=bids, room=room: worth_of(bids, room))
        highs_seconds, optimum = timed(lambda bids=bids, room=room: by_highs(bids, room))
        assert abs(small - optimum) < 1e-6 * optimum, (small, optimum)
        bids, room = week_of(accounts, OWNERS, kind, random.Random(1))
        seconds, total = timed(lambda bids=bids, room=room: worth_of(bids, room))
        tell(
            f"capacity_{kind}_cpu", round(seconds, 2), "CPU seconds",
            f"on a tenth {small_seconds:.2f}, HiGHS {highs_seconds:.2f}; the same worth",
        )  # fmt: skip
        tell(
            f"capacity_{kind}_worth", round(total / down_the_list(bids, room), 4), "times",
            f"going down the list once; {accounts:,} accounts, {OWNERS} people with {SLOTS} slots each",
        )  # fmt: skip
    candidates = candidates_of(accounts, random.Random(2))
    seconds, count = timed(lambda: whole(candidates))
    tell(
        "capacity_whole_cpu", round(seconds, 2), "CPU seconds",
        f"limit {LIMIT}; plays, rules, owners and a reason for each: {count:,} of {accounts:,} get a task",
    )  # fmt: skip
    assert accounts > 50_000 or seconds <= LIMIT, "too slow"


if __name__ == "__main__":
    main()
