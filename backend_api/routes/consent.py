"""What people said about marketing, over HTTP: a ledger that only grows."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.audiences import queries, service
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.audiences.schemas import ConsentView
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Audiences"])


class ConsentOut(BaseModel):
    """One decision of someone, and how it became known."""

    id: UUID
    contact_id: UUID
    decision: Decision
    source: ConsentSource
    word: str = Field(examples=["STOP"], description="What they wrote, for the source `keyword`.")
    actor_name: str
    occurred_at: datetime

    @classmethod
    def of(cls, view: ConsentView) -> "ConsentOut":
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class ConsentsOut(BaseModel):
    """Newest first; the first counts."""

    items: list[ConsentOut]
    next_cursor: None = None


class ConsentIn(BaseModel):
    decision: Decision


@router.get("/consents")
def consents(ctx: Ctx, after: After = None, limit: Limit = 50) -> PageOut[ConsentOut]:
    """Everything that anybody said, newest first."""
    return PageOut.of(queries.consents(ctx, after=after, limit=limit), ConsentOut.of)


@router.get("/contacts/{contact_id}/consents")
def consents_of_contact(ctx: Ctx, contact_id: UUID) -> ConsentsOut:
    """What one person said: the last 200 times."""
    return _shown(ctx, contact_id)


@router.post("/contacts/{contact_id}/consents", status_code=201)
def note_consent(ctx: Ctx, once: Once, contact_id: UUID, body: ConsentIn) -> ConsentsOut:
    """Write down what someone told you, and all that they said before."""

    def note() -> ConsentsOut:
        service.note_consent(ctx, contact_id, body.decision)
        return _shown(ctx, contact_id)

    return once(note)


def _shown(ctx: Ctx, contact_id: UUID) -> ConsentsOut:
    return ConsentsOut(items=[ConsentOut.of(one) for one in queries.consent_of(ctx, contact_id)])
