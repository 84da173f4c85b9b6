"""The only ways to a row of the inbox: what is another tenant's does not exist.

Called by functions that stand behind a permission of their own.
"""

from uuid import UUID

from aerostic.core.errors import NotFound
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import CannedReply, Conversation, Label, Message


def access_conversation(
    ctx: Context, conversation_id: UUID, *, for_update: bool = False
) -> Conversation:
    """Raises NotFound."""
    found = ctx.get(Conversation, conversation_id, for_update=for_update)
    if found is None:
        raise NotFound("That conversation no longer exists.")
    return found


def access_message(ctx: Context, message_id: UUID, *, for_update: bool = False) -> Message:
    """Raises NotFound."""
    found = ctx.get(Message, message_id, for_update=for_update)
    if found is None:
        raise NotFound("That message no longer exists.")
    return found


def access_label(ctx: Context, label_id: UUID) -> Label:
    """Raises NotFound."""
    found = ctx.get(Label, label_id)
    if found is None:
        raise NotFound("That label no longer exists.")
    return found


def access_canned_reply(ctx: Context, reply_id: UUID) -> CannedReply:
    """Raises NotFound."""
    found = ctx.get(CannedReply, reply_id)
    if found is None:
        raise NotFound("That canned reply no longer exists.")
    return found
