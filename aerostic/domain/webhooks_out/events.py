"""What another program can be told of, by the name that stands in the message."""

from dataclasses import dataclass

from aerostic.domain.signals.models import SignalKind

TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class EventKind:
    """`name` travels as `type`; `title` and `when` are for people."""

    name: str
    title: str
    when: str


CATALOGUE = (
    EventKind(SignalKind.MESSAGE_RECEIVED, "Message received", "A customer writes to you."),
    EventKind(
        SignalKind.MESSAGE_STATUS,
        "Message status",
        "A message of yours is sent, delivered, read, or fails.",
    ),
    EventKind(SignalKind.REACTION_RECEIVED, "Reaction received", "A customer reacts to a message."),
    EventKind(SignalKind.CONTACT_CREATED, "Contact created", "Somebody new is known."),
    EventKind(SignalKind.CONTACT_TAGGED, "Contact tagged", "A contact gets a tag."),
    EventKind(
        SignalKind.CONVERSATION_ASSIGNED,
        "Conversation assigned",
        "A conversation is given to a person, or to nobody.",
    ),
    EventKind(SignalKind.CONVERSATION_CLOSED, "Conversation closed", "A conversation is closed."),
    EventKind(
        SignalKind.CONVERSATION_TAKEN_OVER,
        "Conversation taken over",
        "A person answers where automation did.",
    ),
    EventKind(SignalKind.EXECUTION_FAILED, "Workflow run failed", "A run ends with an error."),
)
NAMES = tuple(str(one.name) for one in CATALOGUE)
