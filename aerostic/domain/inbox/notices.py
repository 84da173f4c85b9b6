"""What Meta shows the contact of us: blue ticks, and that someone is typing.

Each is told after the commit to whichever sender hears it. Losing one is harmless, so none is kept.
"""

import json

from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox.models import Conversation

LANE = "notice"


def mark_read_at_meta(ctx: Context, conversation: Conversation) -> None:
    """Blue ticks on everything up to the contact's last message."""
    _tell(ctx, conversation, is_typing=False)


def typing_at_meta(ctx: Context, conversation: Conversation) -> None:
    """“typing …” on the contact's phone, for 25 seconds or until a message comes. It reads, too."""
    _tell(ctx, conversation, is_typing=True)


def _tell(ctx: Context, conversation: Conversation, *, is_typing: bool) -> None:
    if conversation.last_inbound_meta_id is None or _is_blocked(ctx, conversation):
        return
    told = {
        "tenant_id": str(ctx.tenant_id),
        "number_id": str(conversation.number_id),
        "meta_message_id": conversation.last_inbound_meta_id,
        "is_typing": is_typing,
    }
    ctx.wake(LANE, json.dumps(told, sort_keys=True))


def _is_blocked(ctx: Context, conversation: Conversation) -> bool:
    contact = ctx.get(Contact, conversation.contact_id)
    return contact is None or contact.is_blocked
