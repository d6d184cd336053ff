"""`upswell worker`: does what is queued and what schedules start."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from contextlib import suppress

import click

from worker.verb import App, verb


@verb(
    "worker",
    examples=("upswell worker", "upswell worker --concurrency 4", "upswell worker --once --json"),
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    help="Processes that work side by side, with Redis only.  [default: one a processor]",
)
@click.option("--once", is_flag=True, help="Look once, do what is due in this process, and end.")
def command(app: App, concurrency: int | None, once: bool) -> None:
    """Work: with Celery where [redis] names a server, else in this one process."""
    settings = app.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if once:
        from worker.runner import Runner

        with Runner(settings) as runner:
            worked = runner.once()
        app.answer.data = {"worked": worked}
        app.screen.say(f"Worked on {len(worked)} runs." if worked else "Nothing was due.")
    elif settings.redis.url:
        if app.config is not None:
            # Celery's processes read their settings from where this one has them
            os.environ["UPSWELL_CONFIG"] = str(app.config.absolute())
        app.screen.say("Working with Celery until interrupted. See: upswell status")
        work_with_celery(concurrency)
    else:
        if concurrency is not None:
            app.warn("without [redis] url there is one process; --concurrency is not used")
        from worker.runner import Runner

        app.screen.say("Working in this process until interrupted. See: upswell status")
        signal.signal(signal.SIGTERM, _end)  # so that a step under way is given back
        with suppress(KeyboardInterrupt), Runner(settings) as runner:
            runner.forever()


def work_with_celery(concurrency: int | None) -> None:
    """Run Celery's worker in this process until it is told to end."""
    from worker.celery_app import QUEUE, app

    # told with each reconnection, although the setting that it is about is made
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5.1 we introduced an optional breaking change")
    options = ["worker", "--pool=prefork", f"--queues={QUEUE}", "--loglevel=WARNING"]
    # who else is there is of no interest, and asking does not outlive a wiped Redis
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    options += [f"--hostname=upswell-{os.getpid()}@%h"]
    options += [] if concurrency is None else [f"--concurrency={concurrency}"]
    app.worker_main(options)


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(0)
