"""The operator's looks at queues and partitions. Each returns what is wrong."""

import psycopg
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.worker import Worker
from sqlalchemy import create_engine

from aerostic.core import clock, partitions, queue
from aerostic.core.settings import settings
from aerostic.operations import console


def queues() -> list[str]:
    """Show every queue; what waits with nobody to do it, and what failed, is a finding."""
    findings = []
    console.say(f"{'queue':<12}{'waiting':>9}{'running':>9}{'failed':>9}{'workers':>9}")
    for name in queue.QueueName:
        one = queue.queue(name)
        waiting, workers = len(one), Worker.count(queue=one)
        running, failed = len(StartedJobRegistry(queue=one)), len(FailedJobRegistry(queue=one))
        console.say(f"{name:<12}{waiting:>9}{running:>9}{failed:>9}{workers:>9}")
        if waiting and not workers:
            findings.append(f"{waiting} jobs wait in “{name}” and no worker serves it.")
        if failed:
            findings.append(f"{failed} jobs of “{name}” failed in the last seven days.")
    return findings


def make_partitions() -> list[str]:
    """Make the coming months' partitions where they are missing, as the owner; return their names."""
    engine = create_engine(settings().database_owner_url)
    with engine.begin() as connection:
        made = partitions.make_ahead(connection, today=clock.now())
    engine.dispose()
    return made


def stray_rows() -> list[str]:
    """Rows outside every month: an odd clock wrote them, and no old month can take them along."""
    findings = []
    owner = settings().database_owner_url.replace("+psycopg", "", 1)
    with psycopg.connect(owner) as connection:
        for parent in partitions.PARTITIONED:
            row = connection.execute(
                "select reltuples::bigint from pg_class where oid = to_regclass(%s)",
                [f"{parent}_other"],
            ).fetchone()
            if row and row[0] > 0:
                findings.append(
                    f"{parent}_other holds about {row[0]} rows with a time of no month."
                )
    return findings
