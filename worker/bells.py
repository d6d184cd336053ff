"""Bells: they tell Celery's workers that there is a run to look at, and nothing else.

At most a few are queued at any time. One that is lost is rung again by the next tick of a reconciler, so
whoever rings need not know whether it was heard.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from worker.celery_app import LOOK, QUEUE, STEP, configuration

if TYPE_CHECKING:
    from sync.settings import Settings

logger = logging.getLogger(__name__)

AT_MOST: Final = 8  # bells in the queue: more would only be found by workers that come too late
AT_ONCE: Final = 4  # for a step that is open to all
LATEST: Final = 60.0  # seconds: a worker holds a bell for later in its memory, so not for long


class Bells:
    """Rings for runs of one installation. Nothing is raised when Redis is away."""

    def __init__(self, settings: Settings) -> None:
        conf = configuration(settings)
        self._celery = Celery("upswell", set_as_current=False, changes=conf)
        times = conf["broker_transport_options"]
        self._redis = Redis.from_url(
            settings.redis.url,
            socket_timeout=times["socket_timeout"],
            socket_connect_timeout=times["socket_connect_timeout"],
        )

    def ring(self, run_id: str, *, shared: bool) -> bool:
        """Whether a bell for the run is on its way now, or enough of them were already.

        `shared`: the next step is open to all, so several workers are told."""
        try:
            room = AT_MOST - self._queued()
            for _ in range(min(AT_ONCE if shared else 1, room)):
                self._send(LOOK if shared else STEP, run_id)
        except (OperationalError, RedisError) as error:
            logger.warning("no bell for run %s: %s", run_id, error)
            return False
        return True

    def pass_on(self, run_id: str) -> None:
        """Tell one more worker of a shared step, unless somebody is being told already."""
        try:
            if self._queued() == 0:
                self._send(LOOK, run_id)
        except (OperationalError, RedisError) as error:
            logger.warning("no bell for run %s: %s", run_id, error)

    def ring_later(self, run_id: str, *, seconds: float) -> None:
        """One bell for a shared step after that time; none when one is due already, or it is far off."""
        if seconds > LATEST:
            return
        wait = max(seconds, 1.0)
        try:
            if self._redis.set(f"{QUEUE}:later:{run_id}", "1", nx=True, px=round(wait * 1000)):
                self._send(LOOK, run_id, countdown=wait)
        except (OperationalError, RedisError) as error:
            logger.warning("no bell for run %s: %s", run_id, error)

    def waiting(self) -> int:
        """How many bells nobody has heard yet; 0 while Redis is away."""
        try:
            return self._queued()
        except RedisError:
            return 0

    def close(self) -> None:
        """Give back the connections."""
        self._redis.close()
        self._celery.close()

    def _queued(self) -> int:
        found = self._redis.llen(QUEUE)
        assert isinstance(found, int)
        return found

    def _send(self, task: str, run_id: str, countdown: float | None = None) -> None:
        self._celery.send_task(task, (run_id,), countdown=countdown)


def ring(settings: Settings, run_id: str) -> bool:
    """Whether a bell was rung for a run that was just queued: not without Redis, nor while that is away."""
    if not settings.redis.url:
        return False
    bells = Bells(settings)
    try:
        return bells.ring(run_id, shared=False)
    finally:
        bells.close()
