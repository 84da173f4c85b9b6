"""Identifiers in the forms that Meta gives them."""

import base64
import hashlib
import secrets

from aerostic.simulator.store import Json

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def message_id(recipient: str) -> str:
    """A `wamid.`: opaque to everyone, unique for ever."""
    raw = (
        b"\x1d\x00"
        + recipient.encode()[:20]
        + b"\x15\x02\x00\x11\x18"
        + secrets.token_hex(10).upper().encode()
    )
    return "wamid." + base64.b64encode(raw).decode()


def digits(length: int = 16) -> str:
    """A numeric id such as those of media and templates."""
    return str(secrets.randbelow(9) + 1) + "".join(
        str(secrets.randbelow(10)) for _ in range(length - 1)
    )


def trace_id() -> str:
    return "A" + "".join(secrets.choice(_BASE62) for _ in range(22))


def business_scoped_user_id(country: str, seed: str, portfolio_id: str) -> str:
    """The same person looks different to each portfolio: that is the point of these ids."""
    digest = hashlib.sha256(f"{seed}:{portfolio_id}".encode()).digest()
    return f"{country}.{int.from_bytes(digest[:8], 'big') % 10**16:016d}"


def conversation_id(parts: Json) -> str:
    return hashlib.md5(repr(sorted(parts.items())).encode(), usedforsecurity=False).hexdigest()
