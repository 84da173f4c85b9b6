"""What Meta tells about a template, by webhook or by a listing, and what it means for people.

Fields: message_template_status_update, message_template_quality_update, template_category_update. A webhook
may come twice: what is known already is told to nobody again.
"""

from collections.abc import Mapping
from typing import Any

from aerostic.core.tenancy import Context
from aerostic.domain.templates import history
from aerostic.domain.templates.models import Template, TemplateEventKind, TemplateStatus
from aerostic.integrations.meta.template_refusals import rejection_in_words

Node = Mapping[str, Any]

# What an event means for sending, where its own word is not the status that a listing shows.
_STATUS_AFTER = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED", "UNLOCKED": "APPROVED"}
_FLAGGED = "FLAGGED"  # a warning: it may still be sent
HARM = frozenset(
    {
        TemplateStatus.REJECTED,
        TemplateStatus.PAUSED,
        TemplateStatus.DISABLED,
        TemplateStatus.PENDING_DELETION,
        TemplateStatus.LIMIT_EXCEEDED,
    }
)
_PAUSES = {"FIRST_PAUSE": "for 3 hours", "SECOND_PAUSE": "for 6 hours"}
_SENTENCES = {
    "APPROVED": "Meta has approved it: it can be sent.",
    "PENDING": "Meta is reviewing it.",
    "DISABLED": "Meta has disabled it for good, because many people blocked or reported it. "
    "Make another template.",
    "IN_APPEAL": "Meta looks at its decision again.",
    "PENDING_DELETION": "Meta is deleting it.",
    "DELETED": "Meta has deleted it.",
    "LIMIT_EXCEEDED": "Meta keeps it back: the account has more templates than it may.",
    "ARCHIVED": "It was archived.",
}


def status(ctx: Context, template: Template, value: Node) -> None:
    """A webhook about its standing."""
    event = str(value.get("event") or "")
    _category_in_passing(ctx, template, value.get("message_template_category"))
    if event == _FLAGGED:
        _warn(ctx, template)
        return
    if not event:
        return
    reason = value.get("reason")
    stand(
        ctx,
        template,
        _STATUS_AFTER.get(event, event),
        reason=str(reason) if reason and reason != "NONE" else None,
        details=value,
    )


def stand(
    ctx: Context,
    template: Template,
    status: str,
    *,
    reason: str | None = None,
    details: Node | None = None,
) -> None:
    """It has this status now. People are told once, however often Meta says so."""
    if status == TemplateStatus.DELETED:
        bury(ctx, template)
    template.status, template.rejection_reason = status, reason
    if template.told_status == status:
        ctx.announce("template", template.id)
        return
    template.told_status, template.note = status, in_words(status, reason, details or {})
    is_harm = status in HARM
    history.told(ctx, template, TemplateEventKind.STATUS, template.note, is_harm=is_harm)


def bury(ctx: Context, template: Template) -> None:
    """It is deleted. Only the name of one that could be sent rests; others may be used at once."""
    was_sendable = template.status not in {TemplateStatus.PENDING, TemplateStatus.REJECTED}
    template.deleted_at = template.deleted_at or (ctx.now if was_sendable else None)
    template.status, template.draft = TemplateStatus.DELETED, None


def in_words(status: str, reason: str | None, details: Node) -> str:
    """What a status means, as a sentence."""
    if status == TemplateStatus.REJECTED:
        advice = _node(details, "rejection_info").get("recommendation")
        parts = ("Meta has rejected it.", rejection_in_words(reason), str(advice or ""))
        return " ".join(part for part in parts if part)
    if status == TemplateStatus.PAUSED:
        title = str(_node(details, "other_info").get("title") or "")
        length = _PAUSES.get(title, "for now")
        return f"Meta has paused it {length}, because people blocked or reported it. It can not be sent."
    return _SENTENCES.get(status, f"Meta says: {status.replace('_', ' ').lower()}.")


def _node(value: Node, name: str) -> Node:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _warn(ctx: Context, template: Template) -> None:
    words = "Meta may pause or disable it soon: people block or report it. It can still be sent."
    if template.note != words:
        template.note = words
        history.told(ctx, template, TemplateEventKind.STATUS, words)


def quality(ctx: Context, template: Template, score: str) -> None:
    """How people like it: GREEN, YELLOW, RED, or UNKNOWN."""
    if not score or template.quality == score:
        return
    words = {
        "GREEN": "Its quality is high.",
        "YELLOW": "Its quality is middling: some people blocked or reported it.",
        "RED": "Its quality is low: many people blocked or reported it. Meta may pause it.",
    }
    template.quality = score
    said = words.get(score, "Meta has no opinion of its quality yet.")
    history.told(ctx, template, TemplateEventKind.QUALITY, said)


def category(ctx: Context, template: Template, value: Node) -> None:
    """Meta moves a template; `correct_category` only announces what `new_category` will say tomorrow."""
    announced = str(value.get("correct_category") or "")
    if announced:
        words = (
            f"Meta will move it to {announced.lower()} in the next days; its price changes with it."
        )
        if template.note != words:
            template.note = words
            history.told(ctx, template, TemplateEventKind.CATEGORY, words, is_harm=True)
        return
    move(ctx, template, str(value.get("new_category") or ""))


def move(ctx: Context, template: Template, category: str) -> None:
    """It belongs to this category now."""
    if not category or template.category == category:
        return
    former, template.category = template.category, category
    words = (
        f"Meta has moved it from {former.lower()} to {category.lower()}. "
        "From now on it is charged as that."
    )
    history.told(ctx, template, TemplateEventKind.CATEGORY, words, is_harm=True)


def _category_in_passing(ctx: Context, template: Template, category: Any) -> None:
    if category:
        move(ctx, template, str(category))
