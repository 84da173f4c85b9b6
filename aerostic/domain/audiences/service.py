"""Every way in which segments, lists, rules and consent change."""

from dataclasses import replace
from uuid import UUID

from sqlmodel import select

from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.permissions import ActorKind, Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import compiling, consent, filters, rules
from aerostic.domain.audiences.consent import Told
from aerostic.domain.audiences.filters import Filter
from aerostic.domain.audiences.models import (
    AudienceRules,
    ConsentSource,
    ContactList,
    Decision,
    Segment,
)
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.contacts import fields
from aerostic.domain.contacts.access import the_contact
from aerostic.domain.contacts.schemas import KEEP, Keep

MOST_SEGMENTS = 500
MOST_WORDS = 300
LONGEST_NAME = 80
LONGEST_ANSWER = 1_000


class Stale(Conflict):
    """Someone else saved in between; nothing was changed."""

    code = "stale"

    def __init__(self) -> None:
        super().__init__(
            "Someone else changed this segment meanwhile. Load it again and repeat your change."
        )


# Segments ---------------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_MANAGE)
def create_segment(ctx: Context, name: str, tree: Filter) -> Segment:
    """Save a filter under a name. Raises Invalid and Broken for a filter that finds nobody by mistake."""
    segment = Segment(
        name=_name(name),
        filter=_checked(ctx, tree),
        created_by_name=ctx.actor.name,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    if len(ctx.session.scalars(select(Segment.id).limit(MOST_SEGMENTS)).all()) >= MOST_SEGMENTS:
        raise Refused(f"A workspace keeps at most {MOST_SEGMENTS} segments. Delete one first.")
    ctx.session.add(segment)
    ctx.write_unless_taken(_taken("segment", segment.name))
    ctx.announce("segment", segment.id)
    return segment


@requires(Permission.CAMPAIGNS_MANAGE)
def change_segment(
    ctx: Context,
    segment_id: UUID,
    *,
    revision: int,
    name: str | Keep = KEEP,
    tree: Filter | Keep = KEEP,
) -> Segment:
    """Save an edit made on `revision`. Campaigns that were launched keep whom they froze."""
    segment = _the_segment(ctx, segment_id)
    if segment.revision != revision:
        raise Stale
    if name is not KEEP:
        segment.name = _name(name)
    if not isinstance(tree, Keep):
        segment.filter = _checked(ctx, tree)
    segment.revision += 1
    segment.updated_at = ctx.now
    ctx.write_unless_taken(_taken("segment", segment.name))
    ctx.announce("segment", segment.id)
    return segment


@requires(Permission.CAMPAIGNS_MANAGE)
def delete_segment(ctx: Context, segment_id: UUID) -> None:
    """Forget the filter. Nobody is deleted; campaigns that were launched keep whom they froze."""
    ctx.session.delete(_the_segment(ctx, segment_id))
    ctx.announce("segment", segment_id)


def _checked(ctx: Context, tree: Filter) -> dict[str, object]:
    """The filter as it is stored, once PostgreSQL could be asked for it."""
    compiling.condition(ctx, filters.check_size(tree))
    return tree.model_dump(mode="json")


# Lists ------------------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_MANAGE)
def rename_list(ctx: Context, list_id: UUID, name: str) -> ContactList:
    wanted = _the_list(ctx, list_id)
    wanted.name = _name(name)
    ctx.write_unless_taken(_taken("list", wanted.name))
    ctx.announce("list", wanted.id)
    return wanted


@requires(Permission.CAMPAIGNS_MANAGE)
def delete_list(ctx: Context, list_id: UUID) -> None:
    """Forget who was on the list and what their rows said. The contacts stay."""
    ctx.session.delete(_the_list(ctx, list_id))
    ctx.announce("list", list_id)


# Rules ------------------------------------------------------------------------------------------


@requires(Permission.INBOX_MANAGE)
def set_rules(ctx: Context, wanted: Rules) -> Rules:
    """Write the workspace's own rules over ours. Raises Invalid."""
    checked = _sound(wanted)
    own = ctx.session.get(AudienceRules, ctx.tenant_id) or AudienceRules()
    own.stop_words, own.start_words = list(checked.stop_words), list(checked.start_words)
    own.stop_answer, own.start_answer = checked.stop_answer, checked.start_answer
    own.most_messages, own.in_days = checked.most_messages, checked.in_days
    own.undeliverable_after = checked.undeliverable_after
    ctx.session.add(own)
    ctx.session.flush()
    ctx.announce("audience_rules", ctx.tenant_id)
    return checked


def _sound(wanted: Rules) -> Rules:
    stops, starts = rules.cleaned(wanted.stop_words), rules.cleaned(wanted.start_words)
    if not stops:
        raise Invalid("stop_words", "Keep at least one word by which people can stop marketing.")
    for field, words in (("stop_words", stops), ("start_words", starts)):
        if len(words) > MOST_WORDS:
            raise Invalid(field, f"There are {len(words)} words; at most {MOST_WORDS} fit.")
        if long := next((word for word in words if len(word) > rules.LONGEST_WORD), ""):
            raise Invalid(field, f"“{long[:30]}…” is longer than {rules.LONGEST_WORD} characters.")
    both = {rules.plain(word) for word in stops} & {rules.plain(word) for word in starts}
    if both:
        raise Invalid("start_words", f"“{sorted(both)[0]}” can not mean both stop and start.")
    _between("most_messages", wanted.most_messages, 0, 100)
    _between("in_days", wanted.in_days, 1, 90)
    _between("undeliverable_after", wanted.undeliverable_after, 0, 20)
    return replace(
        wanted,
        stop_words=tuple(stops),
        start_words=tuple(starts),
        stop_answer=_answer("stop_answer", wanted.stop_answer),
        start_answer=_answer("start_answer", wanted.start_answer),
    )


def _between(field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise Invalid(field, f"Give a number between {least} and {most}.")


def _answer(field: str, text: str) -> str:
    if len(text) > LONGEST_ANSWER:
        raise Invalid(field, f"The answer is longer than {LONGEST_ANSWER:,} characters.")
    return text.strip()


# Consent ----------------------------------------------------------------------------------------


@requires(Permission.CONTACTS_WRITE)
def note_consent(ctx: Context, contact_id: UUID, decision: Decision) -> None:
    """Write down what someone told one of the team, or a program. Written again it stands once more."""
    is_program = ctx.actor.kind is not ActorKind.USER
    source = ConsentSource.PROGRAM if is_program else ConsentSource.MEMBER
    contact = the_contact(ctx, contact_id)
    consent.record(ctx, [Told(contact.id, decision, source, ctx.now)])
    ctx.session.refresh(contact)


# What all of them share -------------------------------------------------------------------------


def _name(text: str) -> str:
    name = fields.short("name", text, LONGEST_NAME, "The name")
    if not name:
        raise Invalid("name", "Give it a name.")
    return name


def _taken(what: str, name: str) -> Conflict:
    return Conflict(f"There is already a {what} named “{name}”.")


def _the_segment(ctx: Context, segment_id: UUID) -> Segment:
    found = ctx.get(Segment, segment_id, for_update=True)
    if found is None:
        raise NotFound("That segment does not exist.")
    return found


def _the_list(ctx: Context, list_id: UUID) -> ContactList:
    found = ctx.get(ContactList, list_id, for_update=True)
    if found is None:
        raise NotFound("That list does not exist.")
    return found
