"""Lines outlive the servers that they talk to."""

import asyncio

import psycopg
import uvloop

from aerostic.core import database
from aerostic.core.lanes import Line

END_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aerostic test'"


async def run_until_it_does(line: Line) -> int:
    """How often it failed before."""
    failures = 0
    while True:
        try:
            await line.run()
        except psycopg.Error:
            failures += 1
        else:
            return failures


async def lose_all_and_run_again(lines: list[Line]) -> list[int]:
    async with await psycopg.AsyncConnection.connect(database.psycopg_url()) as other:
        await other.execute(END_ALL)
    return await asyncio.gather(*(run_until_it_does(line) for line in lines))


def test_lines_that_break_together_do_not_take_each_others_sockets():
    """libpq gives a broken socket's number back at once, and the next connection gets it."""

    async def many_times() -> None:
        lines = [Line("select pg_sleep(0.001)", name="test") for _ in range(6)]
        for _ in range(15):
            async with asyncio.timeout(5):
                await lose_all_and_run_again(lines)
        for line in lines:
            await line.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(many_times())
