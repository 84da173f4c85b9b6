"""Where a template stands: what it holds, and whether it may be written, submitted or sent now."""

from datetime import timedelta

from sqlmodel import col, select

from aerostic.core.errors import Invalid, Refused
from aerostic.core.tenancy import Context
from aerostic.domain.templates import definition as definitions
from aerostic.domain.templates import notation
from aerostic.domain.templates.definition import Definition
from aerostic.domain.templates.models import (
    Template,
    TemplateEvent,
    TemplateEventKind,
    TemplateStatus,
)

# Meta lets a template be edited in these states only.
EDITABLE = frozenset(
    {
        TemplateStatus.DRAFT,
        TemplateStatus.APPROVED,
        TemplateStatus.REJECTED,
        TemplateStatus.PAUSED,
    }
)
# Meta: an approved template may be edited so often in so long.
EDIT_LIMITS = (
    (timedelta(hours=24), 1, "once in 24 hours"),
    (timedelta(days=30), 10, "ten times in 30 days"),
)


def contents(template: Template) -> Definition:
    """What its form shows: the draft if there is one, else what Meta has."""
    if template.draft is not None:
        return definitions.read(template.draft)
    return submitted(template)


def submitted(template: Template) -> Definition:
    """What Meta has."""
    return notation.definition(
        template.category,
        template.parameter_format,
        template.components,
        files=template.files,
        ttl_seconds=template.ttl_seconds,
    )


def why_not_written(template: Template) -> str:
    """Why it can not be changed now; nothing, if it can."""
    if template.status not in EDITABLE:
        status = template.status.replace("_", " ").lower()
        return (
            f"This template is {status}. Meta lets one be changed while it is approved, rejected or "
            "paused; a duplicate can be changed at any time."
        )
    if strange := notation.strange_parts(template.components):
        parts = ", ".join(strange)
        return f"This template has parts that are made in WhatsApp Manager only ({parts}). Change it there."
    return ""


def check_may_be_written(template: Template) -> None:
    if why := why_not_written(template):
        raise Refused(why)


def check_may_be_submitted(ctx: Context, template: Template, definition: Definition) -> None:
    """Raises Refused or Invalid for what Meta would refuse because of where it stands."""
    check_may_be_written(template)
    if not template.meta_template_id:
        return
    if definition.parameter_format != template.parameter_format.upper():
        raise Invalid(
            "parameter_format",
            "Meta does not let the kind of variables change later. Make a duplicate with the other kind.",
        )
    if template.status == TemplateStatus.APPROVED:
        if definition.category != template.category:
            raise Invalid(
                "category",
                "Meta does not let the category of an approved template change. Make a duplicate.",
            )
        _check_edits(ctx, template)


def _check_edits(ctx: Context, template: Template) -> None:
    longest = max(length for length, _, _ in EDIT_LIMITS)
    statement = select(TemplateEvent.created_at).where(
        TemplateEvent.template_id == template.id,
        TemplateEvent.kind == TemplateEventKind.EDITED,
        col(TemplateEvent.created_at) > ctx.now - longest,
    )
    edits = list(ctx.session.exec(statement.order_by(col(TemplateEvent.created_at))))
    for length, most, words in EDIT_LIMITS:
        recent = [at for at in edits if at > ctx.now - length]
        if len(recent) >= most:
            again = (recent[-most] + length).strftime("%-d %B at %H:%M")
            raise Refused(
                f"Meta lets an approved template be changed {words}. The next time is {again} UTC. "
                "A duplicate under another name can be submitted now."
            )
