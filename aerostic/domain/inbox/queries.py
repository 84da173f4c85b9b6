"""Every way that the inbox is looked at."""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import canned, lists, members, messages, threads, window
from aerostic.domain.inbox import search as searching
from aerostic.domain.inbox import templates as gaps
from aerostic.domain.inbox.access import access_canned_reply, access_conversation, access_message
from aerostic.domain.inbox.models import (
    CannedReply,
    ConversationStatus,
    Label,
)
from aerostic.domain.inbox.schemas import (
    CannedReplyView,
    Colleague,
    ConversationDetail,
    ConversationFilter,
    ConversationRow,
    CountsForAll,
    FilterCounts,
    LabelView,
    MessageView,
    SearchPage,
    Shown,
    TemplateView,
    ThreadPage,
    View,
)
from aerostic.domain.inbox.views import (
    canned_reply_view,
    contact_name,
    conversation_rows,
    label_view,
    phone_text,
)
from aerostic.domain.templates.queries import APPROVED
from aerostic.domain.templates.queries import templates as all_templates

EVERYTHING_OPEN = ConversationFilter()


@requires(Permission.INBOX_READ)
def conversations(
    ctx: Context,
    wanted: ConversationFilter = EVERYTHING_OPEN,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[ConversationRow]:
    """A page of the list, newest activity first."""
    place = read_cursor(after, datetime, UUID) if after else None
    size = page_size(limit)
    found = lists.page(ctx, wanted, after=place, limit=size + 1)
    shown, last = found[:size], found[size - 1 : size]
    more = cursor_of(last[0].last_message_at, last[0].id) if len(found) > size else None
    return Page(conversation_rows(ctx, shown), more)


@requires(Permission.INBOX_READ)
def conversation(ctx: Context, conversation_id: UUID) -> ConversationDetail:
    """One conversation and what stands around its thread."""
    found = access_conversation(ctx, conversation_id)
    contact = ctx.get(Contact, found.contact_id)
    number = ctx.get(PhoneNumber, found.number_id)
    assert contact is not None  # a foreign key says so
    assert number is not None
    return ConversationDetail(
        row=conversation_rows(ctx, [found])[0],
        contact_email=contact.email,
        contact_language=contact.language,
        contact_is_blocked=contact.is_blocked,
        number_phone=number.display_phone_number,
        number_is_connected=number.status == ConnectionStatus.CONNECTED,
        number_problem=number.problem,
        mode=found.mode or number.mode,
        window_is_open=window.is_open(found, ctx.now),
        window_closes_at=found.window_closes_at,
        last_inbound_at=found.last_inbound_at,
        created_at=found.created_at,
        closed_at=found.closed_at,
    )


@requires(Permission.INBOX_READ)
def thread(
    ctx: Context,
    conversation_id: UUID,
    before: Cursor | None = None,
    *,
    after: Cursor | None = None,
    limit: int = 50,
    shown: Shown = Shown.EVERYTHING,
) -> ThreadPage:
    """A stretch of the thread, oldest first: the last one, the one before a cursor, or the one after."""
    access_conversation(ctx, conversation_id)
    size = page_size(limit)
    if after:
        return _stretch_after(ctx, conversation_id, after, size, shown)
    place = threads.Place.at(before) if before else None
    stretch = threads.older(ctx, conversation_id, before=place, limit=size, shown=shown)
    return _thread_page(ctx, stretch.rows, has_older=stretch.has_more, newer_cursor=before)


@requires(Permission.INBOX_READ)
def thread_around(
    ctx: Context, conversation_id: UUID, message_id: UUID, limit: int = 50
) -> ThreadPage:
    """The stretch with that message in its middle: where a found message or a quote leads to."""
    here = access_message(ctx, message_id)
    if here.conversation_id != conversation_id:
        raise NotFound("That message is not in this conversation.")
    half = max(1, page_size(limit) // 2)
    place = threads.place_of(here)
    before = threads.older(ctx, conversation_id, before=place, limit=half)
    after = threads.newer(ctx, conversation_id, after=place, limit=half)
    return _thread_page(ctx, [*before.rows, here, *after.rows], has_older=before.has_more)


@requires(Permission.INBOX_READ)
def message(ctx: Context, message_id: UUID) -> MessageView:
    return messages.message_view(ctx, access_message(ctx, message_id))


@requires(Permission.INBOX_READ)
def counts(ctx: Context) -> FilterCounts:
    """How many each filter of the sidebar shows, none counted past `FilterCounts.MOST`."""
    return counts_for_all(ctx).of(ctx.actor.user_id)


@requires(Permission.INBOX_READ)
def counts_for_all(ctx: Context) -> CountsForAll:
    """The same for every member at once: one reading serves all their open pages."""
    found = lists.count(
        ctx,
        ConversationFilter(View.UNASSIGNED),
        ConversationFilter(),
        ConversationFilter(is_unread=True),
        ConversationFilter(status=ConversationStatus.SNOOZED),
        ConversationFilter(status=ConversationStatus.CLOSED),
    )
    return CountsForAll(FilterCounts(0, *found), lists.count_assigned(ctx))


@requires(Permission.INBOX_READ)
def labels(ctx: Context) -> list[LabelView]:
    statement = select(Label).where(Label.tenant_id == ctx.tenant_id).order_by(col(Label.name))
    return [label_view(label) for label in ctx.session.exec(statement)]


@requires(Permission.INBOX_READ)
def canned_replies(ctx: Context) -> list[CannedReplyView]:
    statement = (
        select(CannedReply)
        .where(CannedReply.tenant_id == ctx.tenant_id)
        .order_by(col(CannedReply.shortcut))
    )
    return [canned_reply_view(reply) for reply in ctx.session.exec(statement)]


@requires(Permission.INBOX_READ)
def canned_text(ctx: Context, reply_id: UUID, conversation_id: UUID) -> str:
    """A canned reply with its gaps filled for that conversation, ready to be looked over and sent."""
    reply = access_canned_reply(ctx, reply_id)
    contact = ctx.get(Contact, access_conversation(ctx, conversation_id).contact_id)
    assert contact is not None  # a foreign key says so
    return canned.filled(reply.text, _values(ctx, contact))


@requires(Permission.INBOX_READ)
def colleagues(ctx: Context) -> list[Colleague]:
    """The members who may answer, by name: to assign to, or to mention in a note."""
    return [Colleague(*one) for one in members.names_of_answering(ctx).items()]


@requires(Permission.INBOX_READ)
def sendable_templates(ctx: Context, conversation_id: UUID) -> list[TemplateView]:
    """The approved templates of the account that this conversation's number belongs to."""
    number = ctx.get(PhoneNumber, access_conversation(ctx, conversation_id).number_id)
    assert number is not None  # a foreign key says so
    approved = all_templates(ctx, account_id=number.account_id, status=APPROVED)
    return [gaps.template_view(template) for template in approved]


@requires(Permission.INBOX_READ)
def search(ctx: Context, text: str, after: Cursor | None = None) -> SearchPage:
    """Contacts by the beginnings of words, and messages that hold the text, newest first."""
    return searching.search(ctx, text, after)


def _values(ctx: Context, contact: Contact) -> dict[str, str]:
    """What `{{ … }}` may name. Attributes of the contact are `contact.<key>`."""
    name = contact_name(contact)
    return {
        **{f"contact.{key}": str(value) for key, value in contact.attributes.items()},
        "contact.name": name,
        "contact.first_name": name.split()[0],
        "contact.phone": phone_text(contact.phone),
        "contact.email": contact.email or "",
        "agent.name": ctx.actor.name,
    }


def _stretch_after(
    ctx: Context, conversation_id: UUID, after: Cursor, size: int, shown: Shown
) -> ThreadPage:
    place = threads.Place.at(after)
    stretch = threads.newer(ctx, conversation_id, after=place, limit=size, shown=shown)
    return _thread_page(ctx, stretch.rows, has_older=True, newer_cursor=after)


def _thread_page(
    ctx: Context,
    rows: list[threads.Row],
    *,
    has_older: bool,
    newer_cursor: Cursor | None = None,
) -> ThreadPage:
    """`newer_cursor` is kept where the stretch is empty: nothing newer has come yet."""
    if not rows:
        return ThreadPage([], None, newer_cursor)
    oldest, newest = threads.place_of(rows[0]), threads.place_of(rows[-1])
    return ThreadPage(
        messages.items(ctx, rows), oldest.cursor if has_older else None, newest.cursor
    )
