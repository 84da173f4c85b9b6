"""What a workflow can be made of here: the kinds of steps, and what their pickers offer.

Apart from the editor's own state, so that this much is not carried through its every click.
"""

from typing import Any
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.ai import queries as ai
from aerostic.domain.automation import queries, rules
from aerostic.domain.automation.schemas import WorkflowFilter
from aerostic.domain.channels import queries as channels
from aerostic.domain.connections import queries as connections
from aerostic.domain.contacts import queries as contacts
from aerostic.domain.inbox import queries as inbox
from aerostic.domain.knowledge import queries as knowledge
from aerostic.domain.templates import queries as templates
from aerostic.domain.templates.gaps import Gap, GapKind, gaps
from aerostic.domain.templates.models import Template
from aerostic.domain.vault import queries as vault
from aerostic.state.base import AppState
from aerostic.state.plain import plain

OWN_FIELDS = (
    ("name", "Name"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("language", "Language"),
    ("country", "Country"),
)
Choice = dict[str, Any]
Choices = dict[str, list[Choice]]


class FlowChoices(AppState):
    kinds: list[dict[str, Any]] = []
    sentences: dict[str, str] = {}
    choices: Choices = {}

    async def _read(self, workflow_id: UUID) -> None:
        """Told by the page's state, which has asked for the right to look."""
        self.kinds = [plain(kind) for kind in rules.catalogue()]
        self.sentences = dict(rules.SENTENCES)
        self.choices = await self.call(_offered, workflow_id)


def _offered(ctx: Context, workflow_id: UUID) -> Choices:
    """By the name of the control: `{"value": id, "words": name}`."""
    others = queries.workflows(ctx, WorkflowFilter(), limit=200).items
    return {
        "workflow": [_one(row.id, row.name) for row in others if row.id != workflow_id],
        "number": [
            _one(row.id, f"{row.verified_name} {row.display_phone_number}".strip())
            for row in channels.numbers(ctx)
        ],
        "template": [_template(row) for row in templates.templates(ctx)],
        "secret": [_one(row.id, row.name) for row in vault.secrets(ctx)],
        "connection": [_one(row.id, row.email) for row in connections.connections(ctx)],
        "agent": [_one(row.id, row.name) for row in ai.agents(ctx)],
        "knowledge": [_one(row.id, row.name) for row in knowledge.bases(ctx)],
        "label": [_one(row.id, row.name) for row in inbox.labels(ctx)],
        "member": [_one(row.user_id, row.name) for row in inbox.colleagues(ctx)],
        "contact_field": [
            *(_one(key, words) for key, words in OWN_FIELDS),
            *(_one(field.key, field.label) for field in contacts.attributes(ctx)),
        ],
        "tag": [_one(row.id, row.name) for row in contacts.tags(ctx)],
    }


def _one(value: object, words: str) -> Choice:
    return {"value": str(value), "words": words}


def _template(row: Template) -> Choice:
    """With its gaps: the form has a field for each of them."""
    fields = [
        {"key": gap.key, "words": _spoken(gap), "example": gap.example, "kind": str(gap.kind)}
        for gap in gaps(row)
    ]
    return {**_one(row.id, f"{row.name} ({row.language})"), "gaps": fields}


def _spoken(gap: Gap) -> str:
    """What a gap is called where it is filled in: “{{1}} in the text”, “Card 2, button 1”."""
    words = gap.place.split(".")
    is_card = words[0] == "card"
    place = words[-1] if len(words) > 2 or not is_card else "body"
    if place == "button":
        what = f"button {int(gap.name) + 1}"
    elif gap.is_file:
        what = f"{gap.kind} of the header"
    elif gap.kind is GapKind.TEXT:
        what = f"{{{{{gap.name}}}}} in the {'header' if place == 'header' else 'text'}"
    else:
        what = f"{gap.name.replace('_', ' ')} of the {place}"
    spoken = f"card {int(words[1]) + 1}, {what}" if is_card else what
    return spoken[0].upper() + spoken[1:]
