"""The process that starts work on time, and finds again what a lost queue forgot."""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from aerostic.core import queue
from aerostic.core.permissions import system
from aerostic.core.queue import Job, QueueName
from aerostic.core.tenancy import shared_work
from aerostic.domain.platform import timers
from aerostic.domain.platform.timers import Scheduled

log = logging.getLogger(__name__)

ACTOR = system("scheduler")
LOOK_EVERY = 1.0  # seconds
PAUSE_WITHOUT_DATABASE = 5.0

SCHEDULE = (
    # Sweepers: the queue only hints; what is due stands in PostgreSQL.
    Scheduled(
        "deliveries", "workers.jobs.deliveries.drain", timedelta(seconds=2), QueueName.DELIVERIES
    ),
    Scheduled("media", "workers.jobs.media.fetch", timedelta(seconds=15), QueueName.MEDIA),
    Scheduled("knowledge", "workers.jobs.knowledge.read", timedelta(seconds=30), QueueName.IMPORTS),
    Scheduled("mails", "workers.jobs.mail.send_waiting", timedelta(seconds=5), QueueName.MAIL),
    Scheduled("imports", "workers.jobs.timers.resume_imports", timedelta(seconds=30)),
    Scheduled("snoozes", "workers.jobs.timers.wake_snoozed", timedelta(seconds=5)),
    Scheduled("metrics", "workers.jobs.metrics.fold", timedelta(seconds=30), QueueName.IMPORTS),
    Scheduled("low balances", "workers.jobs.billing.tell_low", timedelta(seconds=60)),
    Scheduled("charges", "workers.jobs.billing.expire", timedelta(hours=6), QueueName.IMPORTS),
    Scheduled("partitions", "workers.jobs.timers.make_partitions", timedelta(hours=6)),
    Scheduled("housekeeping", "workers.jobs.timers.tidy", timedelta(hours=1)),
    Scheduled("identity", "workers.jobs.identity.tidy", timedelta(days=1)),
)


def main(*, ready: Callable[[], None] = lambda: None) -> None:
    """Look for what is due until told to stop (SIGTERM, SIGINT)."""
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    _prepare(stop)
    ready()
    while not stop.wait(LOOK_EVERY):
        try:
            look()
        except OperationalError as error:
            log.warning("the database does not answer, looking again soon: %s", error)
            stop.wait(PAUSE_WITHOUT_DATABASE)


def _prepare(stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with shared_work(ACTOR) as ctx:
                return timers.prepare(ctx, SCHEDULE)
        except OperationalError as error:
            log.warning("the database does not answer yet: %s", error)
            stop.wait(PAUSE_WITHOUT_DATABASE)
    return None


def look() -> int:
    """Start what is due now; return how many jobs that were."""
    with shared_work(ACTOR) as ctx:
        due = timers.take_due(ctx, SCHEDULE)
    for one in due:
        # One that has not begun yet will do all that a second could.
        queue.start_unless_waiting(Job(one.job, queue=one.queue), enough=20)
    return len(due)


if __name__ == "__main__":
    main()
