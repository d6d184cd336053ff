"""Turns that several processes share through Redis, and through the ledger while Redis is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from connectors.pace import LocalPace, Rate
from sync.config import load
from sync.connect import connect
from sync.pacing_redis import RedisPace

ORG = "hubspot api.example"
FAST = Rate(name="fast", calls=3, seconds=0.2, strict=True)


class Counted(LocalPace):
    """A fallback that counts its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0

    @contextmanager
    def turn(self, *rates: Rate) -> Iterator[None]:
        self.turns += 1
        with super().turn(*rates):
            yield


@pytest.fixture
def paced() -> Iterator[Callable[..., RedisPace]]:
    """Make a pace on a Redis; closed afterwards."""
    made: list[RedisPace] = []

    def make(url: str, **options: Any) -> RedisPace:
        made.append(RedisPace(url, ORG, longest_call=65.0, **{"fallback": Counted(), **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_no_window_holds_more_calls_than_allowed_whoever_makes_them(
    redis_server: str, paced: Callable[..., RedisPace]
) -> None:
    """Four threads, each with a pace of its own, as fast as they may."""
    moments: list[tuple[float, float]] = []

    def work(pace: RedisPace) -> None:
        for _ in range(4):
            with pace.turn(FAST):
                began = time.monotonic()
                moments.append((began, time.monotonic()))

    paces = [paced(redis_server) for _ in range(4)]
    threads = [threading.Thread(target=work, args=(pace,)) for pace in paces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begins = sorted(began for began, _ in moments)
    assert len(begins) == 16
    assert all(sum(b <= other < b + FAST.seconds for other in begins) <= FAST.calls for b in begins)
    assert sum(pace.waited for pace in paces) > 0


def test_a_number_that_the_crm_tells_one_process_holds_for_all(
    redis_server: str, paced: Callable[..., RedisPace]
) -> None:
    """Fewer calls, so that the second has to wait."""
    paced(redis_server).allow(FAST, 1)
    other = paced(redis_server)
    for _ in range(2):
        with other.turn(FAST):
            pass
    assert other.waited > 0


def test_a_call_under_way_has_its_turn_until_it_ends(
    redis_server: str, paced: Callable[..., RedisPace]
) -> None:
    """At most so many at once: the next one gets in when the first is over."""
    one = Rate(name="one", calls=1, seconds=0.0, strict=True)
    looks: list[float] = []
    first = paced(redis_server).turn(one)
    first.__enter__()

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            first.__exit__(None, None, None)

    with paced(redis_server, sleep=look).turn(one):
        assert looks == [0.25] * 3


def test_without_redis_the_ledger_paces_and_redis_is_left_alone_for_a_while(
    own_redis: Any, paced: Callable[..., RedisPace]
) -> None:
    """Or each call would wait for it."""
    fallback = Counted()
    pace = paced(own_redis.url, fallback=fallback)
    with pace.turn(FAST):
        own_redis.stop()
    assert fallback.turns == 0
    for _ in range(2):
        with pace.turn(FAST):
            pass
    own_redis.start()
    with pace.turn(FAST):
        pass
    assert fallback.turns == 3


def test_a_connection_paces_by_redis_where_the_settings_name_one(
    redis_server: str, ledger: Any, tmp_path: Path
) -> None:
    """Under the CRM's address; the ledger counts the day as before."""
    text = f'[crm]\nkind = "hubspot"\n[crm.hubspot]\ntoken = "t"\n[redis]\nurl = "{redis_server}"\n'
    (tmp_path / "upswell.toml").write_text(text)
    crm: Any = connect(load(tmp_path / "upswell.toml", {}), ledger)
    with crm._client._pace.turn(FAST):
        pass
    crm.close()
    with redis.Redis.from_url(redis_server) as client:
        assert client.keys() == [b"upswell:pace:{hubspot api.hubapi.com}:fast:turns"]
