"""Everything that the two doors and the two tasks share."""

import asyncio
from dataclasses import dataclass, field

from aerostic.simulator.clock import SimulatedClock
from aerostic.simulator.config import SimulatorConfig
from aerostic.simulator.events import Hub
from aerostic.simulator.limits import Limits
from aerostic.simulator.store import Store
from aerostic.simulator.trouble import TroubleSwitch


@dataclass
class World:
    config: SimulatorConfig
    store: Store
    clock: SimulatedClock
    trouble: TroubleSwitch
    limits: Limits = field(default_factory=Limits)
    hub: Hub = field(default_factory=Hub)
    #: Set when a webhook or a status step was added, so that its task need not wait for its next look.
    webhooks_changed: asyncio.Event = field(default_factory=asyncio.Event)
    steps_changed: asyncio.Event = field(default_factory=asyncio.Event)


def open_world(config: SimulatorConfig) -> World:
    config.media_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database_path)
    return World(config, store, SimulatedClock(store), TroubleSwitch(store))
