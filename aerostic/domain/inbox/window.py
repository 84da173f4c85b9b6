"""The 24 hours after a customer's message in which we may write freely. Meta refuses the rest (131047)."""

from datetime import datetime, timedelta

from aerostic.domain.inbox.models import Conversation

LENGTH = timedelta(hours=24)


def is_open(conversation: Conversation, now: datetime) -> bool:
    """Whether a free-form message may be sent now."""
    return conversation.window_closes_at is not None and now < conversation.window_closes_at
