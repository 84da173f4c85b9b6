"""The 24 hours after a customer's message in which we may write freely. Meta refuses the rest (131047)."""

from datetime import datetime, timedelta

from aerostic.domain.inbox.models import Conversation

LENGTH = timedelta(hours=24)


def is_open(conversation: Conversation, now: datetime) -> bool:
    """Whether a free-form message may be sent now."""
    return conversation.window_closes_at is not None and now < conversation.window_closes_at


def closes_at(wrote_at: datetime) -> datetime:
    """When the window that a customer's message opens is over. Meta counts from its own time."""
    return wrote_at + LENGTH
