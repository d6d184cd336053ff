"""Notices a Celery consumer that has gone deaf, and makes it connect anew.

When Redis goes away just as a bell is acknowledged, kombu logs the failure and keeps the bell on its books
for good: its place under the prefetch limit is never free again, so the consumer asks for no more bells, and
so never finds that its connection is dead (kombu 5.7, seen with one process and a Redis killed at the end of
a task). Bells that wait while the worker is idle tell the same, whatever the cause.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sized
from typing import Any, Final

logger = logging.getLogger(__name__)

DEAF_AFTER: Final = 2  # checks one after the other: a bell may be on its way during one


class Hearing:
    """Checks one consumer. `at_work` are the bells that it is answering, `waiting` tells how many queue."""

    def __init__(self, consumer: Any, *, at_work: Sized, waiting: Callable[[], int]) -> None:
        self._consumer = consumer
        self._at_work = at_work
        self._waiting = waiting
        self._suspected = 0
        self._left: object = None

    def check(self) -> bool:
        """Whether the consumer was found deaf; it then connects anew."""
        self._suspected = self._suspected + 1 if self._seems_deaf() else 0
        if self._suspected < DEAF_AFTER:
            return False
        self._suspected = 0
        self._left = self._consumer.task_consumer
        logger.warning("this worker does not hear its bells any more; it connects to Redis anew")
        self._consumer.hub.call_soon(_hang_up)
        return True

    def _seems_deaf(self) -> bool:
        if self._consumer.task_consumer is self._left:  # it is connecting, or Redis is still away
            return False
        return self._held() > len(self._at_work) or (not len(self._at_work) and self._waiting() > 0)

    def _held(self) -> int:
        """Bells that the consumer believes it is answering."""
        channel = getattr(self._consumer.task_consumer, "channel", None)
        books = getattr(channel, "qos", None)
        if books is None or not books.prefetch_count:
            return 0
        return int(books.prefetch_count - books.can_consume_max_estimate())


def _hang_up() -> None:
    """What Celery takes for a lost connection, in the thread of its event loop."""
    raise ConnectionResetError("the consumer is deaf")
