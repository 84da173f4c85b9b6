"""The shared inbox as one person has it open."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError, Invalid, NotFound
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.channels import queries as channels
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.contacts import phones
from aerostic.domain.inbox import presence, queries, service
from aerostic.domain.inbox.drafts import Button, Draft, Header, ListRow, ListSection
from aerostic.domain.inbox.models import ConversationStatus
from aerostic.domain.inbox.schemas import ConversationFilter, View, in_words
from aerostic.domain.sending import service as sending
from aerostic.state.base import AppState
from aerostic.state.guard import access, caller
from aerostic.state.plain import plain

MOST_MENTIONED = 50
MOST_ROWS = 200
MOST_MESSAGES = 200
PAGE = 50

VIEWS: dict[str, ConversationFilter] = {
    "all": ConversationFilter(),
    "mine": ConversationFilter(View.MINE),
    "unassigned": ConversationFilter(View.UNASSIGNED),
    "unread": ConversationFilter(is_unread=True),
    "snoozed": ConversationFilter(status=ConversationStatus.SNOOZED),
    "closed": ConversationFilter(status=ConversationStatus.CLOSED),
}
SNOOZES = {
    "hour": ("For an hour", timedelta(hours=1)),
    "later": ("For four hours", timedelta(hours=4)),
    "tomorrow": ("For a day", timedelta(days=1)),
    "week": ("For a week", timedelta(days=7)),
}
Payload = dict[str, Any]


class InboxState(AppState):
    """The list on the left, the open conversation in the middle, what is known of the person on the right."""

    rows: list[Payload] = []
    has_more: bool = False
    view: str = "all"
    label_id: str = ""
    number_id: str = ""
    counts: dict[str, str] = {}
    is_loading: bool = True

    searched: str = ""
    found: Payload = {}

    conversation_id: str = ""
    detail: Payload = {}
    shown_phone: str = ""
    thread: list[Payload] = []
    has_older: bool = False
    has_newer: bool = False
    found_id: str = ""
    watchers: str = ""
    reply_to: Payload = {}
    returned: Payload = {}
    is_panel_open: bool = False
    is_choosing_snooze: bool = False
    snooze_problem: str = ""

    labels: list[Payload] = []
    numbers: list[Payload] = []
    members: list[Payload] = []
    canned: list[Payload] = []
    templates: list[Payload] = []

    _next: str | None = None
    _older: str | None = None

    # What the page shows --------------------------------------------------------------------------

    @rx.var
    def is_open(self) -> bool:
        return bool(self.detail)

    @rx.var
    def too_many(self) -> bool:
        return self.has_more and len(self.rows) >= MOST_ROWS

    @rx.var
    def can_load_more(self) -> bool:
        return self.has_more and len(self.rows) < MOST_ROWS

    @rx.var
    def conversation_label_ids(self) -> list[str]:
        return [label["id"] for label in self.detail.get("row", {}).get("labels", [])]

    @rx.var
    def problem(self) -> str:
        """Why nothing can be sent here at all."""
        if not self.detail:
            return ""
        if self.detail["contact_is_blocked"]:
            return "This contact is blocked: nothing is sent to them. Unblock them on their page to write."
        if self.detail["number_is_connected"]:
            return ""
        reason = self.detail["number_problem"] or "it was disconnected"
        return f"This number can not send now: {reason} An owner can look under Settings → Numbers."

    # Loading --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.INBOX_READ)
    async def load(self) -> EventSpec | None:
        """Open the page: the list, and the conversation that the address names."""
        await self.watch()
        asked = self.router.url.query_parameters
        around, sorry = await self.attempt(self.call(_surroundings))
        if around is None:
            return sorry
        self.labels, self.numbers, self.members, self.canned = around
        await self._load_list()
        self.is_loading = False
        if "c" in asked:
            return await self._open(asked["c"], asked.get("m", ""))
        return None

    async def _load_list(self) -> None:
        shown = max(PAGE, min(len(self.rows), MOST_ROWS))
        wanted = self._filter()
        read = self.call if wanted.view is View.MINE else self.call_alike
        self.rows, self._next = await read(_list, wanted, shown)
        self.has_more = self._next is not None
        counts = (await self.call_alike(queries.counts_for_all)).of(self._me())
        self.counts = {name: in_words(count) for name, count in plain(counts).items()}

    def _me(self) -> UUID | None:
        who = caller.get().actor
        return who.user_id if who else None

    def _filter(self) -> ConversationFilter:
        base = VIEWS.get(self.view, VIEWS["all"])
        label, number = _id_or_none(self.label_id), _id_or_none(self.number_id)
        return ConversationFilter(base.view, base.status, base.is_unread, label, number)

    @rx.event
    @access(Permission.INBOX_READ)
    async def load_more(self) -> None:
        if self._next is None or len(self.rows) >= MOST_ROWS:
            return
        page = await self.call(queries.conversations, self._filter(), self._next)
        known = {row["id"] for row in self.rows}
        self.rows = self.rows + [row for row in plain(page.items) if row["id"] not in known]
        self._next, self.has_more = page.next_cursor, page.next_cursor is not None

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        """Something of this workspace changed: read again what is on the screen."""
        kinds = {kind for kind, _ in changes}
        if kinds & {"label", "number", "member", "canned_reply", "everything"}:
            self.labels, self.numbers, self.members, self.canned = await self.call(_surroundings)
        if kinds & {"conversation", "contact", "everything"}:
            await self._load_list()
        ours = ("conversation", self.conversation_id) in changes
        if self.conversation_id and (ours or kinds & {"contact", "number", "everything"}):
            await self._reload_open()
        if self.conversation_id and ("presence", self.conversation_id) in changes:
            await self._load_watchers()

    # Choosing what to look at ---------------------------------------------------------------------

    @rx.event
    @access(Permission.INBOX_READ)
    async def choose_view(self, view: str) -> None:
        self.view = view if view in VIEWS else "all"
        await self._start_list()

    @rx.event
    @access(Permission.INBOX_READ)
    async def choose_label(self, label_id: str) -> None:
        self.label_id = "" if label_id == "any" else label_id
        await self._start_list()

    @rx.event
    @access(Permission.INBOX_READ)
    async def choose_number(self, number_id: str) -> None:
        self.number_id = "" if number_id == "any" else number_id
        await self._start_list()

    async def _start_list(self) -> None:
        self.rows = []
        await self._load_list()

    @rx.event
    @access(Permission.INBOX_READ)
    async def search(self, text: str) -> EventSpec | None:
        """Look through messages and contacts; an empty text shows the list again."""
        self.searched = text.lstrip()  # the space before the next word stays in the field
        if not self.searched:
            self.found = {}
            return None
        page, sorry = await self.attempt(self.call(queries.search, self.searched.strip()))
        self.found = plain(page) if page else {}
        return sorry

    @rx.event
    @access(Permission.INBOX_READ)
    async def search_further(self) -> None:
        """Continue the same search in older messages."""
        page = await self.call(queries.search, self.searched.strip(), self.found.get("next_cursor"))
        further = plain(page)
        self.found = {**further, "contacts": self.found["contacts"]} | {
            "messages": self.found["messages"] + further["messages"]
        }

    @rx.event
    @access(Permission.INBOX_READ)
    async def choose(self, conversation_id: str) -> EventSpec | None:
        return await self._open(conversation_id)

    @rx.event
    @access(Permission.INBOX_READ)
    async def choose_found(self, conversation_id: str, message_id: str) -> EventSpec | None:
        return await self._open(conversation_id, message_id)

    @rx.event
    @access(Permission.INBOX_READ)
    async def close_thread(self) -> EventSpec:
        """Back to the list, on a telephone or with Esc."""
        await self._leave()
        self.conversation_id, self.detail, self.thread = "", {}, []
        return _address("")

    async def _open(self, conversation_id: str, message_id: str = "") -> EventSpec | None:
        await self._leave()
        asked, found = _id_or_none(conversation_id), _id_or_none(message_id)
        work = self.call(_conversation, asked, found, PAGE)
        opened, sorry = await self.attempt(work)
        if opened is None:
            self.conversation_id, self.detail, self.thread = "", {}, []
            return sorry
        self.conversation_id = str(asked)
        self.found_id, self.has_newer = message_id if found else "", found is not None
        self.reply_to, self.returned, self.templates = {}, {}, []
        self._show(*opened)
        await self.call(presence.look, UUID(self.conversation_id))
        await self._load_watchers()
        return _address(self.conversation_id)

    def _show(self, detail: Any, page: Any) -> None:
        self.detail = plain(detail)
        self.shown_phone = _phone_in_words(self.detail["row"]["contact_phone"])
        self.thread = plain(page.items)
        self._older, self.has_older = page.next_cursor, page.next_cursor is not None

    async def _reload_open(self) -> None:
        found = UUID(self.found_id) if self.has_newer else None
        count = max(PAGE, min(len(self.thread), MOST_MESSAGES))
        work = self.call(_conversation, UUID(self.conversation_id), found, count)
        opened, _gone = await self.attempt(work)
        if opened is not None:
            self._show(*opened)

    async def _leave(self) -> None:
        if self.conversation_id:
            await self.attempt(self.call(presence.leave, UUID(self.conversation_id)))

    async def _load_watchers(self) -> None:
        others = await self.call(presence.watchers, UUID(self.conversation_id))
        self.watchers = _in_a_sentence(others)

    @rx.event
    @access(Permission.INBOX_READ)
    async def load_older(self) -> None:
        if self._older is None or len(self.thread) >= 10 * MOST_MESSAGES:
            return
        page = await self.call(queries.thread, UUID(self.conversation_id), self._older)
        self.thread = plain(page.items) + self.thread
        self._older, self.has_older = page.next_cursor, page.next_cursor is not None

    @rx.event
    @access(Permission.INBOX_READ)
    async def show_newest(self) -> None:
        await self._show_newest()

    async def _show_newest(self) -> None:
        self.found_id, self.has_newer = "", False
        self.thread = []
        await self._reload_open()

    @rx.event
    @access(Permission.INBOX_READ)
    async def seen(self) -> None:
        """The newest message is before someone's eyes."""
        if not self.conversation_id or self.has_newer:
            return
        await self.call(presence.look, UUID(self.conversation_id))
        await self._load_watchers()
        if self.detail["row"]["unread_count"]:
            await self.call(service.mark_read, UUID(self.conversation_id))

    @rx.event
    @access(Permission.INBOX_READ)
    async def toggle_panel(self) -> None:
        self.is_panel_open = not self.is_panel_open

    # Writing --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def send_text(self, written: Payload) -> EventSpec | None:
        return await self._send(written, lambda key, reply_to: _text_draft(written, key, reply_to))

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def send_media(self, written: Payload) -> EventSpec | None:
        return await self._send(written, lambda key, reply_to: _media_draft(written, key, reply_to))

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def send_structured(self, written: Payload) -> EventSpec | None:
        return await self._send(written, lambda key, _: _structured_draft(written, key))

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def send_template(self, written: Payload) -> EventSpec | None:
        return await self._send(written, lambda key, _: _template_draft(written, key))

    async def _send(
        self, written: Payload, drafted: Callable[[str, UUID | None], Draft]
    ) -> EventSpec | None:
        """Queue what was written. What is refused goes back into the composer, so nothing is lost."""
        meant = self._meant_for(written)
        reply_to = _id_or_none(str(written.get("reply_to", "")))
        try:
            draft = drafted(str(written.get("key", ""))[:80], reply_to)
            await self.call(service.reply, meant, draft)
        except AppError as error:
            self._give_back(written)
            return rx.toast.error(error.message)
        if str(meant) != self.conversation_id:
            return None
        self.reply_to = {}
        if self.has_newer:
            await self._show_newest()
        return None

    def _meant_for(self, written: Payload) -> UUID:
        """The conversation it was written in: another may be open once a file has been uploaded."""
        named = _id_or_none(str(written.get("conversation_id", "")))
        return named or UUID(self.conversation_id)

    def _give_back(self, written: Payload) -> None:
        self.returned = {
            "key": written.get("key", ""),
            "text": written.get("text") or written.get("caption") or "",
            "conversation_id": written.get("conversation_id", ""),
        }

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def add_note(self, written: Payload) -> EventSpec | None:
        meant = self._meant_for(written)
        named = [_id(str(one)) for one in list(written.get("mentions") or [])[:MOST_MENTIONED]]
        _, sorry = await self.attempt(
            self.call(service.add_note, meant, str(written.get("text", "")), named)
        )
        if sorry:
            self._give_back(written)
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def typing(self) -> None:
        await self.attempt(self.call(service.typing, UUID(self.conversation_id)))

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def take_canned(self, reply_id: str, key: str) -> EventSpec | None:
        """Put a canned reply into the composer, with its gaps filled for this conversation."""
        work = self.call(queries.canned_text, _id(reply_id), UUID(self.conversation_id))
        text, sorry = await self.attempt(work)
        self.returned = {"key": key, "text": text or "", "replaces": True}
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def open_templates(self) -> EventSpec | None:
        work = self.call(queries.sendable_templates, UUID(self.conversation_id))
        offered, sorry = await self.attempt(work)
        self.templates = plain(offered or [])
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def start_reply(self, quoted: Payload) -> None:
        self.reply_to = {
            name: str(quoted.get(name, ""))[:200] for name in ("id", "author", "preview")
        }

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def cancel_reply(self) -> None:
        self.reply_to = {}

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def react(self, message_id: str, emoji: str) -> EventSpec | None:
        work = self.call(service.react, _id(message_id), emoji)
        _, sorry = await self.attempt(work)
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def retry(self, message_id: str) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(sending.resend, _id(message_id)))
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def give_up(self, message_id: str) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(sending.give_up, _id(message_id)))
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def take_back(self, message_id: str) -> EventSpec | None:
        """Do not send what still waits."""
        _, sorry = await self.attempt(self.call(sending.cancel, _id(message_id)))
        return sorry

    # Around the conversation ----------------------------------------------------------------------

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def assign(self, user_id: str) -> EventSpec | None:
        work = self.call(service.assign, UUID(self.conversation_id), _id_or_none(user_id))
        _, sorry = await self.attempt(work)
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def choose_mode(self, mode: str) -> EventSpec | None:
        """Who answers here: automation, AI, a person, nobody; `number`: as the number says."""
        chosen = None if mode == "number" else NumberMode(mode)
        work = self.call(service.set_mode, UUID(self.conversation_id), chosen)
        _, sorry = await self.attempt(work)
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def close_conversation(self) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(service.close, UUID(self.conversation_id)))
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def reopen(self) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(service.reopen, UUID(self.conversation_id)))
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def snooze(self, how_long: str) -> EventSpec | None:
        _, duration = SNOOZES.get(how_long, SNOOZES["hour"])
        work = self.call(_snooze_for, UUID(self.conversation_id), duration)
        _, sorry = await self.attempt(work)
        return sorry

    @rx.event
    @access(Permission.INBOX_REPLY)
    def choose_snooze(self) -> None:
        """Ask for the moment at which the conversation comes back."""
        self.is_choosing_snooze, self.snooze_problem = True, ""

    @rx.event
    @access(Permission.INBOX_REPLY)
    def keep_open(self) -> None:
        self.is_choosing_snooze = False

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def snooze_until(self, moment: str) -> None:
        """`moment` with its zone, as the browser knows it."""
        try:
            await self.call(service.snooze, UUID(self.conversation_id), _moment(moment))
        except AppError as error:
            self.snooze_problem = error.message
        else:
            self.is_choosing_snooze = False

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def toggle_label(self, label_id: str) -> EventSpec | None:
        chosen = set(self.conversation_label_ids) ^ {label_id}
        ids = [_id(one) for one in chosen]
        work = self.call(service.set_labels, UUID(self.conversation_id), ids)
        _, sorry = await self.attempt(work)
        return sorry


# One transaction for what is shown together --------------------------------------------------------


def _surroundings(ctx: Context) -> tuple[list[Payload], ...]:
    return (
        plain(queries.labels(ctx)),
        plain(channels.numbers(ctx)),
        plain(queries.colleagues(ctx)),
        plain(queries.canned_replies(ctx)),
    )


def _list(ctx: Context, wanted: ConversationFilter, limit: int) -> tuple[list[Payload], str | None]:
    page = queries.conversations(ctx, wanted, limit=limit)
    return plain(page.items), page.next_cursor


def _conversation(
    ctx: Context, conversation_id: UUID | None, found: UUID | None, limit: int
) -> tuple[Any, Any]:
    if conversation_id is None:
        raise NotFound("That conversation no longer exists.")
    detail = queries.conversation(ctx, conversation_id)
    if found is not None:
        return detail, queries.thread_around(ctx, conversation_id, found, limit)
    return detail, queries.thread(ctx, conversation_id, limit=limit)


def _snooze_for(ctx: Context, conversation_id: UUID, duration: timedelta) -> None:
    service.snooze(ctx, conversation_id, until=ctx.now + duration)


# What a browser sent, as the domain knows it --------------------------------------------------------


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _id(text: str) -> UUID:
    found = _id_or_none(text)
    if found is None:
        raise NotFound("That no longer exists.")
    return found


def _phone_in_words(phone: str | None) -> str:
    return phones.display(phone.removeprefix("+")) if phone else ""


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("until", "Choose a date and a time.") from None


def _text_draft(written: Payload, key: str, reply_to: UUID | None) -> Draft:
    text = str(written.get("text", ""))
    return Draft.text(text, key=key, reply_to=reply_to, preview_url="https://" in text)


def _media_draft(written: Payload, key: str, reply_to: UUID | None) -> Draft:
    kind = str(written.get("kind", ""))
    caption = str(written.get("caption", ""))
    return Draft.media(
        _id(str(written.get("media_id", ""))),
        kind,
        caption=caption if kind in {"image", "video", "document"} else "",
        file_name=str(written.get("file_name", "")),
        key=key,
        reply_to=reply_to,
    )


def _template_draft(written: Payload, key: str) -> Draft:
    variables = {
        str(name): str(value) for name, value in dict(written.get("variables") or {}).items()
    }
    return Draft.template(_id(str(written.get("template_id", ""))), variables, key=key)


def _structured_draft(written: Payload, key: str) -> Draft:
    made = _STRUCTURED.get(str(written.get("kind", "")))
    if made is None:
        raise Invalid("kind", "This kind of message can not be sent from here.")
    return made({name: value for name, value in written.items() if value is not None}, key)


def _location_draft(form: Payload, key: str) -> Draft:
    try:
        latitude, longitude = float(form["latitude"]), float(form["longitude"])
    except (KeyError, TypeError, ValueError):
        raise Invalid("latitude", "Latitude and longitude are numbers, such as 52.3702.") from None
    name, address = str(form.get("name", "")), str(form.get("address", ""))
    return Draft.location(latitude, longitude, name=name, address=address, key=key)


def _contact_draft(form: Payload, key: str) -> Draft:
    name = str(form.get("name", "")).strip()
    card: Payload = {"name": {"formatted_name": name, "first_name": name}}
    if phone := str(form.get("phone", "")).strip():
        card["phones"] = [{"phone": phone, "type": "CELL"}]
    if email := str(form.get("email", "")).strip():
        card["emails"] = [{"email": email, "type": "WORK"}]
    if organisation := str(form.get("organisation", "")).strip():
        card["org"] = {"company": organisation}
    return Draft.contacts([card], key=key)


def _buttons_draft(form: Payload, key: str) -> Draft:
    titles = [str(title) for title in list(form.get("buttons") or [])]
    buttons = [Button(id=f"b{at}", title=title) for at, title in enumerate(titles, 1)]
    header = Header(text=str(form["header"])) if form.get("header") else None
    body, footer = str(form.get("body", "")), str(form.get("footer", ""))
    return Draft.buttons(body, buttons, header=header, footer=footer, key=key)


def _list_draft(form: Payload, key: str) -> Draft:
    rows = [
        ListRow(id=f"r{at}", title=str(row["title"]), description=str(row.get("description", "")))
        for at, row in enumerate(list(form.get("rows") or []), 1)
    ]
    body, button = str(form.get("body", "")), str(form.get("button", ""))
    return Draft.list(body, button, [ListSection(rows)], key=key)


_STRUCTURED: dict[str, Callable[[Payload, str], Draft]] = {
    "location": _location_draft,
    "contact": _contact_draft,
    "buttons": _buttons_draft,
    "list": _list_draft,
}


def _in_a_sentence(others: Any) -> str:
    """`Ben is typing`, `Ben and Cleo are looking at this`, or nothing."""
    typing = [one.name for one in others if one.is_typing]
    if typing:
        return f"{_names(typing)} {'is' if len(typing) == 1 else 'are'} typing"
    looking = [one.name for one in others]
    return (
        f"{_names(looking)} {'is' if len(looking) == 1 else 'are'} looking at this"
        if looking
        else ""
    )


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _address(conversation_id: str) -> EventSpec:
    """Put the open conversation into the address, so that a reload or a shared link opens it again."""
    search = f"?c={conversation_id}" if conversation_id else ""
    return rx.call_script(
        f"history.replaceState(history.state, '', location.pathname + '{search}')"
    )
