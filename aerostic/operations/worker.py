"""The process that runs background jobs."""

import os
import secrets
import socket
from collections.abc import Sequence

from rq import Queue
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, SimpleWorker, Worker

from aerostic.core import database, logs, queue
from aerostic.core.queue import QueueName
from aerostic.operations.errors import OperationError
from aerostic.operations.processes import is_alive
from aerostic.operations.serve import announce_ready

# Jobs of these are short and carry batches: a fork for each would cost more than the work.
QUICK = frozenset({QueueName.DELIVERIES, QueueName.DEFAULT, QueueName.MAIL})


class QuickWorker(SimpleWorker):
    """Runs jobs in its own process, one after the other."""


class CarefulWorker(Worker):
    """Runs each job in a process of its own, so that one that eats memory takes only itself along."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        database.forget_connections()
        super().main_work_horse(job, queue)


def chosen_queues(names: str) -> list[QueueName]:
    """The queues by their names, in order of precedence; none named means all."""
    try:
        return [QueueName(name.strip()) for name in names.split(",")] if names else list(QueueName)
    except ValueError as error:
        known = ", ".join(QueueName)
        raise OperationError(f"--queues: {error}. The queues are {known}.") from error


def run(names: Sequence[QueueName]) -> None:
    """Work on these queues until told to stop; a job that has begun is finished first."""
    logs.configure()
    kind = QuickWorker if QUICK.issuperset(names) else CarefulWorker
    take_back_abandoned(names)
    worker: BaseWorker = kind(
        [queue.queue(name) for name in names],
        name=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        connection=queue.connection(),
        serializer=JSONSerializer,
    )
    announce_ready()
    worker.work(logging_level="WARNING")


def take_back_abandoned(names: Sequence[QueueName]) -> int:
    """Queue again what a killed worker of this machine had begun; return how many jobs that were.

    RQ itself notices after the job's time limit only. Every job is a hint that may come twice.
    """
    taken = 0
    for name in names:
        registry = StartedJobRegistry(queue=queue.queue(name))
        for job_id in registry.get_job_ids(cleanup=False):
            job = _find(job_id)
            if job and _is_dead(job.worker_name or ""):
                _again(job, name)
                taken += 1
    return taken


def _find(job_id: str) -> Job | None:
    found = Job.fetch_many([job_id], connection=queue.connection(), serializer=JSONSerializer)
    return found[0]


def _is_dead(worker_name: str) -> bool:
    host, _, rest = worker_name.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return int(pid) == os.getpid() or not is_alive(int(pid))


def _again(job: Job, name: QueueName) -> None:
    """As it was asked for, under the same id."""
    asked = queue.Job(str(job.func_name), dict(job.kwargs or {}), name, once_as=job.id)
    job.delete()
    queue.start([asked])
