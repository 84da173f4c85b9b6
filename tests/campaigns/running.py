"""Campaigns for tests: people, a template, a campaign for them, driven as the process drives it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select, text

from aerostic.core.ids import new_id
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import service
from aerostic.domain.campaigns.models import Campaign, CampaignRecipient
from aerostic.domain.campaigns.schemas import CampaignDraft, Variant
from aerostic.domain.campaigns.variables import Source, SourceKind
from aerostic.domain.channels.models import PhoneNumber
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind
from aerostic.domain.inbox.models import Message, OutboxItem
from aerostic.domain.templates.models import Template
from tests.conftest import Place
from workers.campaigns import drive

BODY = "Hello {{1}}, our autumn menu is here."
FIRST_NAME = {"body.1": Source(kind=SourceKind.CONTACT, key="first_name", fallback="friend")}


def people(place: Place, count: int, *, calling_code: str = "49", **facts: Any) -> list[UUID]:
    """So many contacts with numbers of one country; their names count from 0."""
    ids = [new_id() for _ in range(count)]
    with place.system_work() as ctx:
        base = f"{calling_code}170{place.phone_number_id[-5:]}"
        for index, contact_id in enumerate(ids):
            phone = f"{base}{index:05d}"
            fields = {"name": f"Person{index} Test", "phone": phone, **facts}
            ctx.session.add(Contact(id=contact_id, **fields))
            if fields["phone"]:
                ctx.session.add(
                    ContactIdentity(kind=IdentityKind.PHONE, value=phone, contact_id=contact_id)
                )
    return ids


def template(place: Place, body: str = BODY, **facts: Any) -> UUID:
    fields = {"name": "autumn", "language": "en", "category": "MARKETING", "status": "APPROVED"}
    with place.system_work() as ctx:
        made = Template(
            account_id=place.account_id,
            components=[{"type": "BODY", "text": body}],
            **(fields | facts),
        )
        ctx.session.add(made)
        ctx.session.flush()
        return made.id


def the_template(place: Place) -> UUID:
    """The place's own, made the first time."""
    with place.work() as ctx:
        found = ctx.session.exec(select(Template.id).where(Template.name == "autumn")).first()
    return found or template(place)


def draft(
    place: Place,
    template_id: UUID,
    variables: Mapping[str, Source] = FIRST_NAME,
    **choices: Any,
) -> CampaignDraft:
    usual: dict[str, Any] = {
        "name": "Autumn",
        "audience": Audience(),
        "variants": [Variant(template_id, variables)],
        "number_ids": [place.number_id],
    }
    return CampaignDraft(**(usual | choices))


def campaign(place: Place, **choices: Any) -> UUID:
    """A draft for everyone, with a template of its own."""
    variables = choices.pop("variables", FIRST_NAME)
    template_id = choices.pop("template_id", None) or the_template(place)
    with place.work("admin") as ctx:
        return service.create(ctx, draft(place, template_id, variables, **choices)).id


def launched(place: Place, **choices: Any) -> UUID:
    campaign_id = campaign(place, **choices)
    with place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    return campaign_id


def driven(place: Place, campaign_id: UUID, times: int = 1) -> Campaign:
    """Looked at as often as the process would at once, so many times over; how it stands then."""
    for _ in range(times):
        drive(place.tenant_id, campaign_id)
    return look(place, campaign_id)


def look(place: Place, campaign_id: UUID) -> Campaign:
    with place.work() as ctx:
        found = ctx.get(Campaign, campaign_id)
        assert found is not None
        return found


def recipients(place: Place, campaign_id: UUID) -> list[CampaignRecipient]:
    statement = select(CampaignRecipient).where(CampaignRecipient.campaign_id == campaign_id)
    with place.work() as ctx:
        return list(ctx.session.exec(statement.order_by(col(CampaignRecipient.contact_id))))


def states(place: Place, campaign_id: UUID) -> dict[str, int]:
    return dict(Counter(one.state for one in recipients(place, campaign_id)))


def why(place: Place, campaign_id: UUID) -> dict[str, int]:
    found = recipients(place, campaign_id)
    return dict(Counter(one.reason for one in found if one.reason))


def messages(place: Place) -> list[Message]:
    with place.work() as ctx:
        return list(ctx.session.exec(select(Message).order_by(col(Message.id))))


def waiting(place: Place) -> list[OutboxItem]:
    with place.work() as ctx:
        return list(ctx.session.exec(select(OutboxItem).order_by(col(OutboxItem.id))))


def fast(place: Place, per_second: int = 1_000) -> None:
    """The number may send as fast as after Meta's upgrade."""
    change(place, PhoneNumber, place.number_id, messages_per_second=per_second)


def change(place: Place, model: type[Any], row_id: UUID, **facts: Any) -> None:
    with place.system_work() as ctx:
        row = ctx.get(model, row_id)
        for name, value in facts.items():
            setattr(row, name, value)


def become(place: Place, ids: Sequence[UUID], status: str, code: str = "") -> None:
    """Messages reach a status, as whoever records it writes it."""
    with place.system_work() as ctx:
        ctx.session.execute(
            text(
                "update messages set status = :status,"
                " failure = jsonb_build_object('code', cast(:code as text))"
                " where tenant_id = :tenant and id = any(:ids)"
            ),
            {"status": status, "code": code, "tenant": place.tenant_id, "ids": list(ids)},
        )
        ctx.session.execute(
            text("delete from outbox where tenant_id = :tenant and id = any(:ids)"),
            {"tenant": place.tenant_id, "ids": list(ids)},
        )
