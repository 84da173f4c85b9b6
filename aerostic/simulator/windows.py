"""The 24 hours after a person wrote, in which a business may answer freely."""

from aerostic.simulator.world import World

WINDOW_SECONDS = 24 * 3600


def closes_at(world: World, number_id: str, person_id: int) -> float | None:
    """When the window closes or closed. None where the person never wrote; a system notice is no writing."""
    last = world.store.figure(
        "SELECT max(at) FROM messages WHERE number_id = ? AND person_id = ? "
        "AND direction = 'inbound' AND type <> 'system'",
        number_id,
        person_id,
    )
    return last + WINDOW_SECONDS if last else None


def is_open(world: World, number_id: str, person_id: int) -> bool:
    closing = closes_at(world, number_id, person_id)
    return closing is not None and world.clock.now() < closing
