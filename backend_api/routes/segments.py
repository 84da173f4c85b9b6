"""Audiences over HTTP: saved segments, how many they reach, and whom campaigns leave alone."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.audiences import queries, rules, service
from aerostic.domain.audiences.filters import Audience, Filter
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.audiences.schemas import SegmentView, Someone
from aerostic.domain.contacts.schemas import KEEP
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Audiences"])

VIPS = {
    "kind": "all",
    "of": [
        {"kind": "attribute", "key": "city", "test": "is", "values": ["Berlin", "Rome"]},
        {"kind": "activity", "moment": "wrote", "days": 30},
        {"kind": "not", "of": {"kind": "consent", "state": "stopped"}},
    ],
}


class SegmentOut(BaseModel):
    """A saved filter over the workspace's contacts. Who is in it is asked anew each time."""

    id: UUID
    name: str = Field(examples=["Regulars in Berlin"])
    filter: Filter = Field(examples=[VIPS])
    words: str = Field(description="The filter as a sentence.")
    problem: str = Field(description="What it is about that is not there any more, or empty.")
    revision: int
    created_by_name: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: SegmentView) -> "SegmentOut":
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class SegmentIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["Regulars in Berlin"])
    filter: Filter = Field(examples=[VIPS])


class SegmentChangeIn(BaseModel):
    """What is left out stays. `revision` is the one that the change was made on."""

    revision: int
    name: str | None = Field(None, max_length=1_000)
    filter: Filter | None = None


class ReachIn(BaseModel):
    """An audience: every part that is given narrows; none at all means every contact."""

    audience: Audience
    category: str = Field("MARKETING", examples=["UTILITY"], description="Meta's, of the template.")


class ReachOut(BaseModel):
    total: int
    reachable: int
    left_out: Mapping[str, int] = Field(
        examples=[{"stopped_marketing": 12, "blocked": 1}],
        description="How many are left alone, by reason.",
    )


class SomeoneOut(BaseModel):
    """One person of an audience."""

    id: UUID
    name: str
    phone: str
    country: str
    left_out: str = Field(description="Why they are left alone, or empty.")
    cells: Mapping[str, str] = Field(description="Of their row, where the audience is a list.")

    @classmethod
    def of(cls, one: Someone) -> "SomeoneOut":
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class SampleOut(BaseModel):
    """Those of the audience who last stirred; at most a hundred."""

    items: list[SomeoneOut]
    next_cursor: None = None


class RulesBody(BaseModel):
    """Whom campaigns leave alone, and the words by which people say so."""

    stop_words: list[str] = Field(max_length=1_000, examples=[["stop", "abmelden"]])
    start_words: list[str] = Field(max_length=1_000, examples=[["start"]])
    stop_answer: str = Field(rules.STOP_ANSWER, description="What confirms it; empty: nothing.")
    start_answer: str = rules.START_ANSWER
    most_messages: int = Field(0, description="Of campaigns to one person; 0: no limit.")
    in_days: int = rules.IN_DAYS
    undeliverable_after: int = Field(
        rules.UNDELIVERABLE_AFTER,
        description="Failed deliveries in a row after which someone is left out; 0: never.",
    )

    @classmethod
    def of(cls, found: Rules) -> "RulesBody":
        return cls(**{name: getattr(found, name) for name in cls.model_fields})

    def rules(self) -> Rules:
        return Rules(
            tuple(self.stop_words),
            tuple(self.start_words),
            self.stop_answer,
            self.start_answer,
            self.most_messages,
            self.in_days,
            self.undeliverable_after,
        )


@router.get("/segments")
def segments(ctx: Ctx, after: After = None, limit: Limit = 50) -> PageOut[SegmentOut]:
    """Saved segments, by name."""
    return PageOut.of(queries.segments(ctx, after=after, limit=limit), SegmentOut.of)


@router.post("/segments", status_code=201)
def create_segment(ctx: Ctx, once: Once, body: SegmentIn) -> SegmentOut:
    """Save a filter under a name."""
    return once(lambda: _shown(ctx, service.create_segment(ctx, body.name, body.filter).id))


@router.get("/segments/{segment_id}")
def segment(ctx: Ctx, segment_id: UUID) -> SegmentOut:
    """One segment."""
    return _shown(ctx, segment_id)


@router.patch("/segments/{segment_id}")
def change_segment(ctx: Ctx, segment_id: UUID, body: SegmentChangeIn) -> SegmentOut:
    """Rename a segment or change its filter. Campaigns that were launched keep whom they froze."""
    service.change_segment(
        ctx,
        segment_id,
        revision=body.revision,
        name=KEEP if body.name is None else body.name,
        tree=KEEP if body.filter is None else body.filter,
    )
    return _shown(ctx, segment_id)


@router.delete("/segments/{segment_id}", status_code=204)
def delete_segment(ctx: Ctx, segment_id: UUID) -> None:
    """Forget the filter. Nobody is deleted."""
    service.delete_segment(ctx, segment_id)


@router.post("/audiences/reach")
def reach(ctx: Ctx, body: ReachIn) -> ReachOut:
    """How many people an audience has, and how many of them a campaign leaves alone. Changes nothing."""
    found = queries.reach(ctx, body.audience, category=body.category)
    return ReachOut(total=found.total, reachable=found.reachable, left_out=found.left_out)


@router.post("/audiences/sample")
def sample(ctx: Ctx, body: ReachIn, limit: Limit = 20) -> SampleOut:
    """Some people of an audience. Changes nothing."""
    found = queries.sample(ctx, body.audience, limit=limit, category=body.category)
    return SampleOut(items=[SomeoneOut.of(one) for one in found])


@router.get("/audience-rules")
def audience_rules(ctx: Ctx) -> RulesBody:
    """The words by which people stop, and whom campaigns leave alone."""
    return RulesBody.of(queries.audience_rules(ctx))


@router.put("/audience-rules")
def set_audience_rules(ctx: Ctx, body: RulesBody) -> RulesBody:
    """Write the workspace's own."""
    return RulesBody.of(service.set_rules(ctx, body.rules()))


def _shown(ctx: Ctx, segment_id: UUID) -> SegmentOut:
    return SegmentOut.of(queries.segment(ctx, segment_id))
