"""Google's world as the simulator starts it."""

from aerostic.simulator.config import SimulatorConfig
from aerostic.simulator.google import drive, sheets
from aerostic.simulator.google.world import GoogleWorld, open_google


def open_world(config: SimulatorConfig) -> GoogleWorld:
    """The world in the simulator's folder, with something in everyone's Drive when it is new."""
    world = open_google(
        config.data_dir,
        client_id=config.google_client_id,
        client_secret=config.google_client_secret,
    )
    drive.seed(world)
    sheets.seed(world)
    return world
