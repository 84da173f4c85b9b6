"""Secrets over HTTP: named, used, replaced; never read."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from aerostic.domain.vault import queries, service
from aerostic.domain.vault.queries import SecretView
from backend_api.deps import Ctx
from backend_api.idempotency import Once

router = APIRouter(prefix="/api/v1/secrets", tags=["Secrets"])


class SecretOut(BaseModel):
    """A secret of the workspace. Its value is in no answer."""

    id: UUID
    name: str = Field(examples=["Shop API key"])
    hosts: list[str] = Field(examples=[["api.example.com"]])
    created_at: datetime
    changed_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, secret: SecretView) -> "SecretOut":
        return cls(
            id=secret.id,
            name=secret.name,
            hosts=list(secret.hosts),
            created_at=secret.created_at,
            changed_at=secret.changed_at,
            used_at=secret.used_at,
        )


class SecretsOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[SecretOut]
    next_cursor: None = None


class SecretIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["Shop API key"])
    value: SecretStr = Field(max_length=10_000, examples=["sk_live_51H…"])
    hosts: list[str] = Field(default=[], max_length=100, examples=[["api.example.com"]])


class SecretChangeIn(BaseModel):
    """What is left out stays."""

    name: str | None = Field(None, max_length=1_000, examples=["Shop API key"])
    value: SecretStr | None = Field(None, max_length=10_000)
    hosts: list[str] | None = Field(None, max_length=100, examples=[["api.example.com"]])


@router.get("")
def secrets(ctx: Ctx) -> SecretsOut:
    """All secrets, by name, without their values."""
    return SecretsOut(items=[SecretOut.of(one) for one in queries.secrets(ctx)])


@router.post("", status_code=201)
def create_secret(ctx: Ctx, once: Once, body: SecretIn) -> SecretOut:
    """Keep a secret for the HTTP steps of workflows. It can be replaced later, and never be read.

    `hosts` says where it may be sent, such as `api.example.com` or `*.example.com`; none: anywhere.
    """

    def made() -> SecretOut:
        value = body.value.get_secret_value()
        return SecretOut.of(SecretView.of(service.create(ctx, body.name, value, hosts=body.hosts)))

    return once(made)


@router.patch("/{secret_id}")
def change_secret(ctx: Ctx, secret_id: UUID, body: SecretChangeIn) -> SecretOut:
    """Rename a secret, give it another value, or say where it may be sent."""
    secret = service.change(
        ctx,
        secret_id,
        name=service.KEEP if body.name is None else body.name,
        value=service.KEEP if body.value is None else body.value.get_secret_value(),
        hosts=service.KEEP if body.hosts is None else body.hosts,
    )
    return SecretOut.of(SecretView.of(secret))


@router.delete("/{secret_id}", status_code=204)
def delete_secret(ctx: Ctx, secret_id: UUID) -> None:
    """Forget a secret. Steps that use it fail from now on."""
    service.delete(ctx, secret_id)
