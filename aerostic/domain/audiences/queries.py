"""Every way in which audiences are looked at."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from uuid import UUID

from sqlalchemy import and_, func, select, tuple_
from sqlmodel import col

from aerostic.core import patience
from aerostic.core.errors import AppError, NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import compiling, filters, rules, suppression, wording
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.audiences.models import (
    ConsentEntry,
    ConsentSource,
    ContactList,
    Decision,
    ListMember,
    Segment,
)
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.audiences.schemas import (
    ConsentView,
    ListView,
    Reach,
    SegmentView,
    Someone,
)
from aerostic.domain.audiences.suppression import MARKETING
from aerostic.domain.contacts import naming, phones
from aerostic.domain.contacts.access import the_contact
from aerostic.domain.contacts.models import Contact, ContactImport, ImportStatus

SAMPLE = 20
SLOWEST = 20.0  # seconds, while somebody waits for the answer
TOO_SLOW = "Finding these people takes too long. Make the filter simpler."


# Segments ---------------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_READ)
def segments(ctx: Context, *, after: Cursor | None = None, limit: int = 50) -> Page[SegmentView]:
    """Saved segments by name."""
    size = page_size(limit)
    statement = select(Segment).order_by(col(Segment.name), col(Segment.id)).limit(size + 1)
    if after:
        name, segment_id = read_cursor(after, str, UUID)
        place = tuple_(col(Segment.name), col(Segment.id))
        statement = statement.where(place > (name, segment_id))
    found = ctx.session.scalars(statement).all()
    known = wording.names(ctx)
    shown = [_segment(ctx, one, known) for one in found[:size]]
    last = found[size - 1] if len(found) > size else None
    return Page(shown, cursor_of(last.name, last.id) if last else None)


@requires(Permission.CAMPAIGNS_READ)
def segment(ctx: Context, segment_id: UUID) -> SegmentView:
    found = ctx.get(Segment, segment_id)
    if found is None:
        raise NotFound("That segment does not exist.")
    return _segment(ctx, found, wording.names(ctx))


def _segment(ctx: Context, one: Segment, known: wording.Names) -> SegmentView:
    tree = filters.read(one.filter)
    return SegmentView(
        id=one.id,
        name=one.name,
        filter=tree,
        words=wording.sentence(tree, known),
        problem=_problem(ctx, tree),
        created_by_name=one.created_by_name,
        revision=one.revision,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def _problem(ctx: Context, tree: filters.Filter) -> str:
    try:
        compiling.condition(ctx, tree)
    except AppError as problem:
        return problem.message
    return ""


# Who is in an audience --------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_READ)
def count(ctx: Context, audience: Audience) -> int:
    """How many contacts are of the audience, those who are left alone included."""
    those = compiling.members(ctx, audience).subquery()
    with _patiently(ctx):
        return ctx.session.scalar(select(func.count()).select_from(those)) or 0


@requires(Permission.CAMPAIGNS_READ)
def reach(ctx: Context, audience: Audience, *, category: str = MARKETING) -> Reach:
    """How many there are, and how many of them a campaign leaves alone for which reason."""
    why = suppression.reason(ctx, category).label("why")
    each = select(why).where(*compiling.there(ctx), *compiling.conditions(ctx, audience)).subquery()
    counted = select(each.c.why, func.count()).group_by(each.c.why)
    with _patiently(ctx):
        found = {row.why: row[1] for row in ctx.session.execute(counted)}
    return Reach(sum(found.values()), {key: n for key, n in found.items() if key is not None})


@requires(Permission.CAMPAIGNS_READ)
def sample(
    ctx: Context, audience: Audience, *, limit: int = SAMPLE, category: str = MARKETING
) -> list[Someone]:
    """Some people of the audience: those who last stirred first."""
    statement = (
        select(Contact, suppression.reason(ctx, category))
        .where(*compiling.there(ctx), *compiling.conditions(ctx, audience))
        .order_by(col(Contact.last_activity_at).desc(), col(Contact.id).desc())
        .limit(min(limit, 100))
    )
    with _patiently(ctx):
        found = ctx.session.execute(statement).all()
    cells = _cells(ctx, audience.list_id, [contact.id for contact, _ in found])
    return [_someone(contact, why, cells.get(contact.id, {})) for contact, why in found]


def _patiently(ctx: Context) -> AbstractContextManager[None]:
    return patience.at_most(ctx, SLOWEST, else_say=TOO_SLOW)


def _someone(contact: Contact, why: str | None, cells: dict[str, str]) -> Someone:
    return Someone(
        id=contact.id,
        name=naming.display_name(contact.name, contact.profile_name, contact.phone),
        phone=phones.display(contact.phone) if contact.phone else "",
        country=contact.country or "",
        left_out=why or "",
        cells=cells,
    )


def _cells(
    ctx: Context, list_id: UUID | None, contact_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str]]:
    if list_id is None:
        return {}
    rows = select(col(ListMember.contact_id), col(ListMember.cells)).where(
        col(ListMember.tenant_id) == ctx.tenant_id,
        col(ListMember.list_id) == list_id,
        col(ListMember.contact_id).in_(contact_ids),
    )
    return {row.contact_id: row.cells for row in ctx.session.execute(rows)}


@requires(Permission.CAMPAIGNS_READ)
def audience_in_words(ctx: Context, audience: Audience) -> str:
    """“Regulars · on the list June”, or “Every contact”."""
    known = wording.names(ctx)
    parts = []
    if audience.segment_id is not None:
        found = ctx.get(Segment, audience.segment_id)
        parts.append(found.name if found else "A segment that was deleted")
    if audience.list_id is not None:
        parts.append(f"List {known.lists.get(audience.list_id, 'that was deleted')}")
    if audience.filter is not None and audience.filter != filters.EVERYONE:
        parts.append(wording.sentence(audience.filter, known))
    return " · ".join(parts) or "Every contact"


# Lists ------------------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_READ)
def lists(ctx: Context, *, after: Cursor | None = None, limit: int = 50) -> Page[ListView]:
    """Uploaded lists, newest first."""
    size = page_size(limit)
    statement = select(ContactList).order_by(col(ContactList.id).desc()).limit(size + 1)
    if after:
        (last,) = read_cursor(after, UUID)
        statement = statement.where(col(ContactList.id) < last)
    found = ctx.session.scalars(statement).all()
    shown = [_list(ctx, one) for one in found[:size]]
    return Page(shown, cursor_of(shown[-1].id) if len(found) > size else None)


@requires(Permission.CAMPAIGNS_READ)
def contact_list(ctx: Context, list_id: UUID) -> ListView:
    found = ctx.get(ContactList, list_id)
    if found is None:
        raise NotFound("That list does not exist.")
    return _list(ctx, found)


def _list(ctx: Context, one: ContactList) -> ListView:
    file = ctx.get(ContactImport, one.import_id)
    assert file is not None  # a foreign key holds it
    counted = select(func.count()).where(
        col(ListMember.tenant_id) == ctx.tenant_id, col(ListMember.list_id) == one.id
    )
    return ListView(
        id=one.id,
        name=one.name,
        import_id=one.import_id,
        columns=tuple(one.columns),
        members=ctx.session.scalar(counted) or 0,
        status=ImportStatus(file.status),
        rows_total=file.rows_total,
        rows_done=file.rows_done,
        rows_refused=file.rows_refused,
        created_by_name=one.created_by_name,
        created_at=one.created_at,
    )


# Rules and consent ------------------------------------------------------------------------------


@requires(Permission.INBOX_READ)
def audience_rules(ctx: Context) -> Rules:
    """The words by which people stop, and whom campaigns leave alone."""
    return rules.of(ctx)


@requires(Permission.CONTACTS_READ)
def consent_of(ctx: Context, contact_id: UUID) -> list[ConsentView]:
    """What someone said about marketing, newest first: the last 200 times, and how we know."""
    contact = the_contact(ctx, contact_id)
    same = (
        select(col(Contact.id))
        .where(col(Contact.tenant_id) == ctx.tenant_id, col(Contact.id) == contact.id)
        .cte("same", recursive=True)
    )
    merged = select(col(Contact.id)).where(
        col(Contact.tenant_id) == ctx.tenant_id, col(Contact.merged_into_id) == same.c.id
    )
    same = same.union(merged)
    statement = _CONSENTS.where(col(ConsentEntry.contact_id).in_(select(same.c.id)))
    newest = (col(ConsentEntry.occurred_at).desc(), col(ConsentEntry.id).desc())
    return [_consent(*row) for row in ctx.session.execute(statement.order_by(*newest).limit(200))]


@requires(Permission.CAMPAIGNS_READ)
def consents(ctx: Context, *, after: Cursor | None = None, limit: int = 50) -> Page[ConsentView]:
    """The ledger of consent of the whole workspace, as it was written: newest first."""
    size = page_size(limit)
    statement = _CONSENTS.order_by(col(ConsentEntry.id).desc()).limit(size + 1)
    if after:
        (last,) = read_cursor(after, UUID)
        statement = statement.where(col(ConsentEntry.id) < last)
    found = [_consent(*row) for row in ctx.session.execute(statement)]
    shown = found[:size]
    return Page(shown, cursor_of(shown[-1].id) if len(found) > size else None)


_CONSENTS = select(ConsentEntry, Contact).outerjoin(
    Contact,
    and_(
        col(Contact.tenant_id) == col(ConsentEntry.tenant_id),
        col(Contact.id) == col(ConsentEntry.contact_id),
    ),
)


def _consent(entry: ConsentEntry, contact: Contact | None) -> ConsentView:
    name = naming.display_name(contact.name, contact.profile_name, contact.phone) if contact else ""
    return ConsentView(
        id=entry.id,
        contact_id=entry.contact_id,
        contact_name=name,
        decision=Decision(entry.decision),
        source=ConsentSource(entry.source),
        word=entry.word,
        actor_name=entry.actor_name,
        occurred_at=entry.occurred_at,
    )
