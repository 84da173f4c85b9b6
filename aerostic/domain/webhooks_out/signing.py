"""Signatures as Standard Webhooks has them (standardwebhooks.com, version 1.0.0).

`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once for each secret that
is valid, with spaces between. A secret is `whsec_` and the base64 of its key.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """One signature, with its version."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers(
    valid_secrets: Iterable[str], message_id: str, body: str, *, at: datetime
) -> dict[str, str]:
    """What travels beside the body. The time is of this try, so that old copies can be refused."""
    timestamp = int(at.timestamp())
    signed = [signature(secret, message_id, timestamp, body) for secret in valid_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signed),
    }
