"""A consumer that went deaf is found out, and made to connect anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kombu import Connection

from worker.hearing import Hearing


class Hub:
    """An event loop that notes what it is to do."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)


@pytest.fixture
def consumer(redis_server: str) -> Iterator[Any]:
    """A consumer on a real channel with room for one bell."""
    with Connection(redis_server) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        yield SimpleNamespace(hub=Hub(), task_consumer=SimpleNamespace(channel=channel))
        channel.qos._delivered.clear()  # else they are put back when the process ends


def test_a_bell_on_the_books_that_nobody_answers_means_deaf(consumer: Any) -> None:
    """At the second check, since an answered bell may be on its way off the books; told once."""
    hearing = Hearing(consumer, at_work=[], waiting=lambda: 0)
    assert (hearing.check(), hearing.check()) == (False, False)
    consumer.task_consumer.channel.qos._delivered["tag"] = object()  # as a failed acknowledgement leaves it
    assert (hearing.check(), hearing.check()) == (False, True)
    (hang_up,) = consumer.hub.soon
    with pytest.raises(ConnectionResetError):
        hang_up()
    assert [hearing.check() for _ in range(4)] == [False] * 4  # it is connecting


def test_a_bell_that_is_being_answered_is_no_sign(consumer: Any) -> None:
    """However long that takes, and whatever else waits meanwhile."""
    consumer.task_consumer.channel.qos._delivered["tag"] = object()
    hearing = Hearing(consumer, at_work=["a task"], waiting=lambda: 3)
    assert not any(hearing.check() for _ in range(5))


def test_bells_that_wait_for_an_idle_worker_mean_deaf(consumer: Any) -> None:
    """Whatever keeps it from them; once connected anew it is watched again."""
    hearing = Hearing(consumer, at_work=[], waiting=lambda: 1)
    assert [hearing.check() for _ in range(3)] == [False, True, False]
    consumer.task_consumer = SimpleNamespace(channel=consumer.task_consumer.channel)
    assert [hearing.check() for _ in range(2)] == [False, True]
