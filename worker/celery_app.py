"""The Celery app, `worker.celery_app:app`, with the settings that held when workers, children and Redis died.

Celery only rings: a message holds a run's id, and what is to be done stands in the ledger. So a message that
is lost is rung again, and one that comes twice finds nothing to claim. Measured over thousands of tasks with
random kills: what each setting is for stands beside it, and more in docs/adr/0009-runs-and-bells.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from celery import Celery
from celery.signals import worker_init, worker_ready, worker_shutdown
from celery.worker import state

from connectors.errors import SettingError

if TYPE_CHECKING:
    from sync.settings import Settings

QUEUE: Final = "upswell"
LOOK, STEP = "upswell.look", "upswell.step"
SOFT_LIMIT, HARD_LIMIT = 120, 150  # seconds that a look may take; it stops by itself long before
GRACE: Final = 30  # seconds that a whole step has to end when its time is up


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's configuration. Raises SettingError when there is no Redis to ring with."""
    if not settings.redis.url:
        raise SettingError(
            "there is no Redis for Celery.",
            setting="redis.url",
            searched=(),
            fix="name one, as in redis://localhost:6379/0; without it, `upswell worker` works in one process",
        )
    longest = settings.worker.longest_step_minutes * 60
    return {
        "broker_url": settings.redis.url.replace("unix://", "redis+socket://", 1),
        "task_default_queue": QUEUE,
        "imports": ("worker.tasks",),
        # a bell is acknowledged when it was answered, and rung again when its process died
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "task_annotations": {
            "*": {"default_retry_delay": 10, "max_retries": 3},
            # a training takes what it takes; the ledger's lease says when it is taken for hung
            STEP: {"soft_time_limit": longest, "time_limit": longest + GRACE},
        },
        "worker_prefetch_multiplier": 1,
        "task_ignore_result": True,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_soft_time_limit": SOFT_LIMIT,
        "task_time_limit": HARD_LIMIT,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.0, "interval_max": 0.5},
        "broker_transport_options": {
            "visibility_timeout": 300,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,  # a half-open socket is noticed, and made anew
            "socket_connect_timeout": 3,
            "health_check_interval": 5,
            "socket_keepalive": True,
        },
        # Redis may be away for as long as it likes
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # what a process is at stands in the ledger: it may end it without the broker
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,  # its reply queues do not come back after a wipe
        "worker_send_task_events": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
        "timezone": "UTC",
    }


def _from_environment() -> dict[str, Any]:
    """The configuration of this installation, read when Celery first asks for it."""
    from sync.config import load

    return configuration(load(None, os.environ))


app = Celery("upswell", set_as_current=False)
app.add_defaults(_from_environment)


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _load_once(**_: object) -> None:
    """Import what turns need before the pool is forked: three seconds for all, not for each process anew."""
    import sync.loop
    import sync.turn  # noqa: F401


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _begin_ticking(sender: Any, **_: object) -> None:
    """In the main process of each worker: find what is due, and ring."""
    from sync.config import load
    from worker.bells import Bells
    from worker.hearing import Hearing
    from worker.reconciler import Reconciler

    settings = load(None, os.environ)
    bells = Bells(settings)
    hearing = Hearing(sender, at_work=state.reserved_requests, waiting=bells.waiting)
    reconciler = Reconciler(
        settings, lambda due: bells.ring(due.run_id, shared=due.shared), also=hearing.check
    )
    reconciler.start()

    def stop(**_: object) -> None:
        reconciler.stop()
        bells.close()

    worker_shutdown.connect(stop, weak=False)
