"""Who calls: tokens, and which accounts each may touch."""

import json
from dataclasses import dataclass

from starlette.requests import Request

from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World


@dataclass(frozen=True)
class Access:
    """What a token opens. The app's own token opens every account that the app knows."""

    token: str
    account_ids: frozenset[str]
    is_app: bool = False

    def opens(self, account_id: str) -> bool:
        return self.is_app or account_id in self.account_ids


def app_token(world: World) -> str:
    return f"{world.config.app_id}|{world.config.app_secret}"


def bearer(request: Request) -> str:
    """The token of the header, else of the query, else nothing."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() in ("bearer", "oauth") and token:
        return token.strip()
    return request.query_params.get("access_token", "")


def identify(world: World, token: str) -> Access:
    """The access behind a token. Raises 190 as Meta does: absent, malformed, expired."""
    if not token:
        raise GraphError(
            190,
            title="An access token is required to request this resource.",
            kind="OAuthException",
            status=401,
        )
    if token == app_token(world):
        return Access(token, frozenset(), is_app=True)
    row = world.store.one("SELECT * FROM tokens WHERE token = ?", token)
    if row is None:
        raise GraphError(
            190, title="Invalid OAuth access token - Cannot parse access token", status=401
        )
    if is_expired(world, row):
        raise GraphError(
            190, title="Error validating access token: Session has expired", subcode=463, status=401
        )
    return Access(token, frozenset(json.loads(row["account_ids"])))


def is_expired(world: World, row: Row) -> bool:
    return bool(row["is_expired"]) or (
        row["expires_at"] is not None and row["expires_at"] < world.clock.now()
    )


def description(world: World, row: Row) -> Json:
    """`debug_token`'s data."""
    accounts = json.loads(row["account_ids"])
    scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
    expired = is_expired(world, row)
    described: Json = {
        "app_id": world.config.app_id,
        "type": "SYSTEM_USER",
        "application": "Aerostic (simulated)",
        "data_access_expires_at": 0,
        "expires_at": int(row["expires_at"] or 0),
        "is_valid": not expired,
        "issued_at": int(world.clock.now()) - 3600,
        "scopes": scopes,
        "granular_scopes": [{"scope": scope, "target_ids": accounts} for scope in scopes],
        "user_id": "122100000000000001",
    }
    if expired:
        described["error"] = {
            "code": 190,
            "message": "Error validating access token: Session has expired",
        }
    return described
