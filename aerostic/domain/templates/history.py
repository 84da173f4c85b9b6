"""What happened to a template: kept beside it, shown on open pages, mailed to the owners where it hurts."""

from sqlmodel import col, select

from aerostic.core.permissions import Role
from aerostic.core.tenancy import Context
from aerostic.domain.identity import mails
from aerostic.domain.identity.models import Membership, Tenant, User
from aerostic.domain.templates.models import Template, TemplateEvent, TemplateEventKind

META = "Meta"


def note(ctx: Context, template: Template, kind: TemplateEventKind, words: str) -> None:
    """Something that a person, or the system, did to it."""
    _write(ctx, template, kind, words, ctx.actor.name, is_harm=False)


def told(
    ctx: Context,
    template: Template,
    kind: TemplateEventKind,
    words: str,
    *,
    is_harm: bool = False,
) -> None:
    """Something that Meta decided. Harm is mailed: it can not be sent any more, or costs more."""
    _write(ctx, template, kind, words, META, is_harm=is_harm)
    if is_harm:
        _mail(ctx, template, words)


def _write(
    ctx: Context,
    template: Template,
    kind: TemplateEventKind,
    words: str,
    actor_name: str,
    *,
    is_harm: bool,
) -> None:
    ctx.session.add(template)
    ctx.session.flush()
    ctx.session.add(
        TemplateEvent(
            template_id=template.id,
            kind=kind,
            words=words,
            actor_name=actor_name,
            is_harm=is_harm,
            created_at=ctx.now,
        )
    )
    ctx.announce("template", template.id)


def _mail(ctx: Context, template: Template, words: str) -> None:
    workspace = ctx.session.get_one(Tenant, ctx.tenant_id)
    owners = select(User).join(Membership, col(Membership.user_id) == col(User.id))
    of_here = col(Membership.tenant_id) == ctx.tenant_id, col(Membership.role) == Role.OWNER
    for owner in ctx.session.exec(owners.where(*of_here)):
        mails.template_hurt(
            ctx,
            owner.email,
            owner.name,
            workspace=workspace.name,
            template=f"{template.name} ({template.language})",
            news=words,
            path=f"/dashboard/{workspace.id}/templates/{template.id}",
        )
