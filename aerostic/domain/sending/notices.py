"""Takes to Meta what the inbox asks for in passing: blue ticks and typing. Each once, or not at all."""

import json
import logging
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from aerostic.core.crypto import CannotDecrypt
from aerostic.core.lanes import LanePool
from aerostic.core.tenancy import lane_transaction
from aerostic.domain.sending import claims
from aerostic.domain.sending.lane import NO_DATABASE, access_of
from aerostic.integrations.meta.client import GraphClient

log = logging.getLogger(__name__)

ONCE_IN_SECONDS = 20  # WhatsApp shows typing for 25


async def take(text: str, *, redis: Redis, pool: LanePool, client: GraphClient) -> bool:
    """Tell Meta, unless another sender does or has done so lately. True: it was told."""
    try:
        if not await redis.set(f"notice:{text}", 1, nx=True, ex=ONCE_IN_SECONDS):
            return False
        return await _tell(json.loads(text), pool, client)
    except (RedisError, CannotDecrypt, *NO_DATABASE) as error:
        log.info("a notice was lost: %s", error)
        return False


async def _tell(told: dict[str, str], pool: LanePool, client: GraphClient) -> bool:
    place = (UUID(told["tenant_id"]), UUID(told["number_id"]))
    async with lane_transaction(pool, tenant_id=place[0]) as cursor:
        channel = await claims.channel(cursor, place)
    if channel is None or not channel.is_open:
        return False
    access = access_of(channel)
    return await client.mark_read(access, told["meta_message_id"], typing=bool(told["is_typing"]))
