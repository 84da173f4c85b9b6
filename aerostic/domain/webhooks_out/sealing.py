"""The secrets of endpoints at rest: sealed to their row."""

from datetime import datetime

from aerostic.core import crypto
from aerostic.domain.webhooks_out.models import WebhookEndpoint


def of(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    found = [crypto.decrypt(endpoint.secret_sealed, bound_to=_place(endpoint, "secret"))]
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        place = _place(endpoint, "previous_secret")
        found.append(crypto.decrypt(endpoint.previous_secret_sealed, bound_to=place))
    return found


def seal(endpoint: WebhookEndpoint, which: str, secret: str) -> str:
    """`which` is `secret` or `previous_secret`."""
    return crypto.encrypt(secret, bound_to=_place(endpoint, which))


def _place(endpoint: WebhookEndpoint, which: str) -> str:
    return f"webhook_endpoints.{which}_sealed.{endpoint.id}"
