"""From a filter to a condition of PostgreSQL over a row of `contacts`.

Every condition is true or false, never unknown: “is not X” holds also for whom nothing is known.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    table,
    true,
)
from sqlmodel import col

from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import comparing, filters
from aerostic.domain.audiences.filters import (
    Activity,
    AllOf,
    AnyOf,
    Attribute,
    Audience,
    CampaignResult,
    Consent,
    ConsentState,
    Country,
    Filter,
    HasTag,
    Language,
    Moment,
    Not,
    OnList,
    Result,
)
from aerostic.domain.audiences.models import ContactList, ListMember, Segment
from aerostic.domain.contacts.access import attributes_by_key
from aerostic.domain.contacts.models import (
    Contact,
    ContactAttribute,
    ContactTag,
    Tag,
)

_MOMENTS = {
    Moment.WROTE: Contact.last_inbound_at,
    Moment.ACTIVE: Contact.last_activity_at,
    Moment.ADDED: Contact.created_at,
}


class Broken(Refused):
    """A condition is about something that is not there any more."""

    code = "segment_broken"


def members(ctx: Context, audience: Audience) -> Select[UUID]:
    """The ids of everyone of the audience, for `order by` and slices by key. Raises Broken, Invalid."""
    return select(col(Contact.id)).where(*there(ctx), *conditions(ctx, audience))


def conditions(ctx: Context, audience: Audience) -> list[ColumnElement[bool]]:
    """What a contact must satisfy to be of the audience."""
    parts = [filters.check_size(audience.filter)] if audience.filter is not None else []
    if audience.segment_id is not None:
        parts.append(filters.read(the_segment(ctx, audience.segment_id).filter))
    if audience.list_id is not None:
        parts.append(OnList(list_id=audience.list_id))
    return [condition(ctx, part) for part in parts]


def condition(ctx: Context, tree: Filter) -> ColumnElement[bool]:
    """What a contact must satisfy to be in the filter."""
    return _Compiler(ctx).condition(tree)


def there(ctx: Context) -> list[ColumnElement[bool]]:
    """Contacts of the tenant who were neither merged into another nor erased."""
    return [
        col(Contact.tenant_id) == ctx.tenant_id,
        col(Contact.merged_into_id).is_(None),
        col(Contact.erased_at).is_(None),
    ]


def the_segment(ctx: Context, segment_id: UUID) -> Segment:
    found = ctx.get(Segment, segment_id)
    if found is None:
        raise Broken("That segment no longer exists. Choose another audience.")
    return found


@dataclass(frozen=True)
class _Compiler:
    ctx: Context

    @cached_property
    def attributes(self) -> dict[str, ContactAttribute]:
        return attributes_by_key(self.ctx)

    def condition(self, tree: Filter) -> ColumnElement[bool]:
        match tree:
            case AllOf():
                return and_(true(), *map(self.condition, tree.of))
            case AnyOf():
                return or_(false(), *map(self.condition, tree.of))
            case Not():
                return not_(self.condition(tree.of))
            case HasTag():
                return self._tagged(tree.tag_id)
            case OnList():
                return self._listed(tree.list_id)
            case Attribute():
                return _certain(self._attribute(tree))
            case Activity():
                since = self.ctx.now - timedelta(days=tree.days)
                return _certain(col(_MOMENTS[tree.moment]) >= since)
            case Consent():
                return _CONSENT[tree.state]
            case Country():
                return _certain(col(Contact.country).in_(tree.codes))
            case Language():
                return _certain(or_(false(), *map(_speaks, tree.codes)))
            case CampaignResult():
                return _came_of_it(self.ctx, tree)

    def _tagged(self, tag_id: UUID) -> ColumnElement[bool]:
        if self.ctx.get(Tag, tag_id) is None:
            raise Broken("One of the tags no longer exists. Take that condition out.")
        return (
            select(literal(1))
            .where(
                col(ContactTag.tenant_id) == self.ctx.tenant_id,
                col(ContactTag.tag_id) == tag_id,
                col(ContactTag.contact_id) == col(Contact.id),
            )
            .exists()
        )

    def _listed(self, list_id: UUID) -> ColumnElement[bool]:
        if self.ctx.get(ContactList, list_id) is None:
            raise Broken("One of the lists no longer exists. Choose another.")
        return (
            select(literal(1))
            .where(
                col(ListMember.tenant_id) == self.ctx.tenant_id,
                col(ListMember.list_id) == list_id,
                col(ListMember.contact_id) == col(Contact.id),
            )
            .exists()
        )

    def _attribute(self, wanted: Attribute) -> ColumnElement[bool]:
        attribute = self.attributes.get(wanted.key)
        if attribute is None:
            raise Broken(f"The field “{wanted.key}” no longer exists. Take that condition out.")
        return comparing.condition(self.ctx.now.date(), wanted, attribute)


def _certain(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return func.coalesce(condition, false())


_CONSENT = {
    ConsentState.STOPPED: col(Contact.marketing_stopped_at).is_not(None),
    ConsentState.AGREED: and_(
        col(Contact.marketing_stopped_at).is_(None), col(Contact.marketing_agreed_at).is_not(None)
    ),
    ConsentState.UNSAID: and_(
        col(Contact.marketing_stopped_at).is_(None), col(Contact.marketing_agreed_at).is_(None)
    ),
}


# Tables of the feature that follows this one; named here, so that nobody imports in a circle.
_recipients = table(
    "campaign_recipients",
    column("tenant_id"),
    column("campaign_id"),
    column("contact_id"),
    column("state"),
)
_responses = table(
    "campaign_responses",
    column("tenant_id"),
    column("campaign_id"),
    column("contact_id"),
    column("kind"),
)
_STATES = {
    Result.RECEIVED: ("sent", "delivered", "read"),
    Result.NOT_READ: ("sent", "delivered"),
    Result.READ: ("read",),
    Result.FAILED: ("failed",),
}


def _came_of_it(ctx: Context, wanted: CampaignResult) -> ColumnElement[bool]:
    """An unknown campaign had no result for anybody."""
    means: ColumnElement[bool]
    if wanted.result in _STATES:
        rows, means = _recipients, _recipients.c.state.in_(_STATES[wanted.result])
    else:
        rows, means = _responses, _responses.c.kind == wanted.result
    return exists().where(
        rows.c.tenant_id == ctx.tenant_id,
        rows.c.campaign_id == wanted.campaign_id,
        rows.c.contact_id == col(Contact.id),
        means,
    )


def _speaks(code: str) -> ColumnElement[bool]:
    if "_" in code:
        return col(Contact.language) == code
    return func.split_part(col(Contact.language), "_", 1) == code
