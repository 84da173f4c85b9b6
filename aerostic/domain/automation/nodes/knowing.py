"""What a node writes down about a contact, within the rules of the contacts themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from aerostic.core.errors import AppError
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import NodeFailed
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.access import the_contact
from aerostic.domain.contacts.models import Contact
from aerostic.domain.contacts.schemas import ContactChanges

PLAIN = ("name", "email", "phone", "language", "country")


@contextmanager
def or_fail(ctx: Context) -> Iterator[None]:
    """What the domain refuses fails the step with the same sentence, and leaves nothing behind."""
    try:
        with ctx.session.begin_nested():
            yield
    except AppError as error:
        raise NodeFailed(error.message) from error


def write_fields(ctx: Context, contact_id: UUID, values: Mapping[str, Any]) -> Contact:
    """Save plain fields and the workspace's own by their keys. An empty value empties the field."""
    contact = the_contact(ctx, contact_id, for_update=True)
    plain = {name: _text(value) for name, value in values.items() if name in PLAIN}
    own = {name: value for name, value in values.items() if name not in PLAIN}
    changes = ContactChanges(**plain, **({"attributes": own} if own else {}))  # type: ignore[arg-type]
    return contacts.edit(ctx, contact.id, changes, revision=contact.revision)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
