"""What briefs cost is kept in the ledger, on every database, however many processes spend at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sync.briefs.kept import Kept, keep, read_kept
from sync.briefs.spend import Caps, Purse, settle
from sync.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def purse(ledger: Store, run_id: str) -> Purse:
    """A purse with a dollar a day and a run."""
    caps = Caps.of(run=1.0, day=1.0, tokens=1_000)
    return Purse(store=ledger, run_id=run_id, caps=caps, clock=lambda: NOW)


def test_two_processes_cannot_both_spend_the_last_dollar(ledger: Store) -> None:
    """Each reservation sees the one before it, whoever made it."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: purse(ledger, f"run-{n % 2}").reserve(150_000, 10), range(12)))
    assert sum(each is not None for each in made) == 6
    assert purse(ledger, "run-0").left() == 100_000


def test_what_was_not_used_may_be_spent_again(ledger: Store) -> None:
    """A reservation is settled once, by what the vendor counted."""
    mine = purse(ledger, "run-1")
    first = mine.reserve(900_000, 900)
    assert first is not None
    assert mine.reserve(200_000, 10) is None
    settle(ledger, first, 100_000, 100)
    settle(ledger, first, 0, 0)
    assert mine.spent() == (100_000, 100)
    assert mine.reserve(1, 901) is None
    assert mine.reserve(900_000, 900) is not None


def test_an_answer_is_kept_until_a_later_one_takes_its_place(ledger: Store) -> None:
    """By the key of its question."""
    kept = Kept(key="k", account_id="a1", model="m", text=None, problems="unsound", tries=2, cost=7)
    keep(ledger, [kept], NOW)
    assert read_kept(ledger, ["k", "other"]) == {"k": kept}
    later = Kept(key="k", account_id="a1", model="m", text="{}")
    keep(ledger, [later], NOW)
    assert read_kept(ledger, ["k"]) == {"k": later}
