"""What came in and what became of it, for whoever acts upon it: a workflow, another company's program.

Who listens is asked once a share. Where nobody does, nothing is collected.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Listener, SignalKind
from aerostic.domain.signals.telling import Happened


@dataclass(slots=True)
class Hearing:
    """Collects what happens in one share."""

    listeners: frozenset[str]
    told: list[Happened] = field(default_factory=list)

    def contacts(self, ids: Iterable[UUID]) -> None:
        """People who were not known."""
        self.told += [Happened(SignalKind.CONTACT_CREATED, contact_id=one) for one in ids]

    def message(
        self, message_id: UUID, conversation_id: UUID, contact_id: UUID, number_id: UUID
    ) -> None:
        """A person wrote, now and to us."""
        self.told.append(
            Happened(
                SignalKind.MESSAGE_RECEIVED, conversation_id, contact_id, number_id, message_id
            )
        )

    def echo(self, conversation_id: UUID, contact_id: UUID, number_id: UUID) -> None:
        """One of us wrote, on the phone: a person has answered."""
        kind = SignalKind.CONVERSATION_TAKEN_OVER
        told = Happened(kind, conversation_id, contact_id, number_id, details={"by": "phone"})
        self.told.append(told)

    def reaction(self, message_id: UUID, conversation_id: UUID, emoji: str) -> None:
        kind = SignalKind.REACTION_RECEIVED
        details = {"emoji": emoji}
        self.told.append(Happened(kind, conversation_id, message_id=message_id, details=details))

    def status(self, message_id: UUID, conversation_id: UUID, status: str) -> None:
        """A message of ours climbed. Never begins a run."""
        if Listener.WEBHOOKS in self.listeners:
            kind = SignalKind.MESSAGE_STATUS
            details = {"status": status}
            self.told.append(
                Happened(kind, conversation_id, message_id=message_id, details=details)
            )


def hearing(ctx: Context) -> Hearing | None:
    """Something to collect in, if anybody listens."""
    listeners = telling.listeners(ctx)
    return Hearing(listeners) if listeners else None


def tell(ctx: Context, heard: Hearing | None) -> None:
    """Write down what was collected, in this transaction."""
    if heard is not None and heard.told:
        telling.tell_listeners(ctx, heard.told)
