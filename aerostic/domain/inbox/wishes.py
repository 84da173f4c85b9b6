"""STOP, START and their like: what people write about being written to is a decision, and is kept."""

from collections.abc import Sequence
from uuid import UUID

from aerostic.core.errors import Conflict, Refused
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import consent, rules
from aerostic.domain.audiences.consent import Told
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.inbox import outbox
from aerostic.domain.inbox.arrivals import Arrival
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, Origin

# Typed, or a tap on a button that says so.
SAID_BY = ("text", "button", "interactive")


def hear(ctx: Context, new: Sequence[Arrival]) -> None:
    """Keep the decisions among new messages and confirm them, as the workspace's rules say.

    The whole message is the word. START only gives back what STOP took.
    """
    short = [one for one in new if one.counts and one.written.type in SAID_BY]
    short = [one for one in short if rules.is_short(one.text)]
    if not short:
        return
    own = rules.of(ctx)
    decided = [(one, own.decision(one.text)) for one in short]
    stops = {one.contact_id for one, decision in decided if decision is Decision.STOPPED}
    starts = {one.contact_id for one, decision in decided if decision is Decision.AGREED}
    may_start = stops | _stopped_before(ctx, starts) if starts else stops
    told = {
        one.id: _told(one, decision)
        for one, decision in decided
        if decision is Decision.STOPPED or (decision and one.contact_id in may_start)
    }
    by_message = {one.id: one for one in short}
    for changed in consent.record(ctx, list(told.values())):
        if changed.message_id is not None:
            _confirm(ctx, own, by_message[changed.message_id], changed)


def _told(one: Arrival, decision: Decision) -> Told:
    return Told(
        one.contact_id,
        decision,
        ConsentSource.KEYWORD,
        one.written.at,
        word=one.text.strip(),
        message_id=one.id,
    )


def _stopped_before(ctx: Context, contact_ids: set[UUID]) -> set[UUID]:
    statement = (
        "select id from contacts where tenant_id = %s and id = any(%s)"
        " and marketing_stopped_at is not null"
    )
    found = ctx.cursor().execute(statement, (ctx.tenant_id, sorted(contact_ids))).fetchall()
    return {contact_id for (contact_id,) in found}


def _confirm(ctx: Context, own: Rules, said: Arrival, told: Told) -> None:
    """Answer in the window that their message opened; who can not be answered is not."""
    text = own.stop_answer if told.decision is Decision.STOPPED else own.start_answer
    conversation = ctx.get(Conversation, said.conversation_id)
    if not text or conversation is None:
        return
    try:
        outbox.queue(
            ctx,
            conversation,
            Draft.text(text, key=f"consent:{said.id}"),
            origin=Origin.AUTOMATION,
        )
    except (Refused, Conflict):
        return  # blocked, or the number was disconnected: the decision stands all the same
