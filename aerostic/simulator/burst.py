"""Many people writing at once, for load tests: bounded in number and in rate."""

import asyncio
from dataclasses import dataclass

from aerostic.simulator.errors import ControlError
from aerostic.simulator.inbound import write
from aerostic.simulator.numbers import access_number
from aerostic.simulator.people import create_person
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

_BOUNDS = {"count": (1, 100_000), "people": (1, 10_000), "rate": (1, 5_000)}
_TICK_SECONDS = 0.05


@dataclass(frozen=True)
class Burst:
    number: Row
    count: int
    people: int
    rate: int
    text: str


def order(world: World, wanted: Json) -> Burst:
    """A checked burst. Raises `ControlError` in words."""
    figures = {"count": 100, "people": 10, "rate": 100} | {
        name: wanted[name] for name in _BOUNDS if name in wanted
    }
    for name, (least, most) in _BOUNDS.items():
        figure = figures[name]
        if isinstance(figure, bool) or not isinstance(figure, int) or not least <= figure <= most:
            raise ControlError(f"{name} must be a whole number from {least} to {most}.")
    text = str(wanted.get("text") or "Message {n} of the burst")
    return Burst(access_number(world, wanted.get("phone_number_id")), text=text, **figures)


async def run(world: World, burst: Burst) -> None:
    """Write all of it at the wished rate, in steps that leave the loop free for others."""
    crowd = _crowd(world, burst.people)
    loop = asyncio.get_running_loop()
    started, written = loop.time(), 0
    while written < burst.count:
        due = min(burst.count, int((loop.time() - started + _TICK_SECONDS) * burst.rate))
        with world.store.transaction():
            for position in range(written, due):
                text = burst.text.replace("{n}", str(position + 1))
                write(
                    world,
                    burst.number,
                    crowd[position % len(crowd)],
                    "text",
                    {"text": {"body": text}},
                )
        written = due
        await asyncio.sleep(_TICK_SECONDS)


def _crowd(world: World, size: int) -> list[Row]:
    """The same people each time, so that a second burst writes into the same chats."""
    with world.store.transaction():
        known = world.store.figure("SELECT count(*) FROM people WHERE made_by = 'burst'")
        for position in range(int(known), size):
            create_person(world, f"Load {position + 1:05d}", f"1999{position:07d}", made_by="burst")
    return world.store.all("SELECT * FROM people WHERE made_by = 'burst' ORDER BY id LIMIT ?", size)
