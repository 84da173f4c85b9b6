"""Meta's check that an address is meant for webhooks: it must answer with the challenge."""

import secrets

import aiohttp

_LONGEST_SECONDS = 10


async def agrees(url: str, verify_token: str) -> bool:
    """Whether the address answers 200 and the challenge, as text, to this verify token."""
    challenge = str(secrets.randbelow(10**10))
    query = {"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": challenge}
    timeout = aiohttp.ClientTimeout(total=_LONGEST_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, params=query, allow_redirects=False) as answer,
        ):
            return answer.status == 200 and (await answer.text()).strip() == challenge
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
