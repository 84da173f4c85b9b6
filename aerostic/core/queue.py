"""Background jobs on RQ, as JSON.

A job is a hint that work may be due, never the work itself: what is to be done stands in PostgreSQL, so
a job that is lost (Redis restarted empty) is found again by the scheduler's sweepers.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from aerostic.core.settings import settings

JSON = str | int | float | bool | None | list[Any] | dict[str, Any]

log = logging.getLogger(__name__)


class QueueName(StrEnum):
    """Each is a lane of its own, so that slow work never delays quick work."""

    DELIVERIES = "deliveries"
    DEFAULT = "default"
    MEDIA = "media"
    IMPORTS = "imports"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Job:
    """A function by its dotted name, `workers.jobs.<feature>.<name>`, and its keyword arguments.

    `once_as` names the work: while a job of that name waits, another is not added.
    """

    name: str
    kwargs: dict[str, JSON] = field(default_factory=dict)
    queue: QueueName = QueueName.DEFAULT
    once_as: str | None = None


@cache
def connection() -> Redis:
    return Redis.from_url(settings().redis_url, health_check_interval=30)


@cache
def prompt_connection() -> Redis:
    """For a request that someone waits for: an answer within a second, or none."""
    return Redis.from_url(
        settings().redis_url,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),  # once: the connection may be one that a restart has closed
        socket_connect_timeout=1,
        socket_timeout=1,
    )


@cache
def queue(name: QueueName) -> Queue:
    return Queue(name, connection=connection(), serializer=JSONSerializer)


def start(jobs: Iterable[Job]) -> None:
    """Hand jobs to the workers. Never fails: the rows are committed and the sweepers will find them."""
    for job in jobs:
        try:
            _enqueue(job)
        except RedisError as error:
            log.warning("job not queued, a sweeper will: %s (%s)", job.name, error)


def _enqueue(job: Job) -> None:
    options: dict[str, Any] = {
        "result_ttl": 0,
        "failure_ttl": 7 * 86_400,
        "job_timeout": 600,
    }
    if job.once_as:
        options |= {"job_id": job.once_as, "unique": True}
    with suppress(DuplicateJobError):
        queue(job.queue).enqueue(job.name, kwargs=job.kwargs, **options)


def start_unless_waiting(job: Job, enough: int) -> None:
    """Start a job that looks for work by itself, unless that many have not begun: they will find it.

    `once_as` would not do here: while such a job runs, another could not be added, and what was committed
    after its last look would wait for a sweeper.
    """
    try:
        if len(queue(job.queue)) < enough:
            _enqueue(job)
    except RedisError as error:
        log.warning("job not queued, a sweeper will: %s (%s)", job.name, error)
