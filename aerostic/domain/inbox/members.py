"""Who of a workspace can be given a conversation, or be called upon in a note."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.permissions import ROLE_PERMISSIONS, Permission, Role
from aerostic.core.tenancy import Context
from aerostic.domain.identity import mails
from aerostic.domain.identity.models import User
from aerostic.domain.tenants.models import Membership, Tenant

MAY_ANSWER = [role for role in Role if Permission.INBOX_REPLY in ROLE_PERMISSIONS[role]]


def names_of_answering(ctx: Context, user_ids: Collection[UUID] | None = None) -> dict[UUID, str]:
    """The members who may answer, by id with their names; only those asked for, if any are."""
    statement = (
        select(User.id, User.name)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.tenant_id == ctx.tenant_id,
            col(Membership.role).in_(MAY_ANSWER),
            col(User.disabled_at).is_(None),
        )
        .order_by(col(User.name))
    )
    if user_ids is not None:
        # Kept members until the caller is done: who is being removed right now is waited for.
        locked = statement.with_for_update(read=True, key_share=True, of=Membership)
        statement = locked.where(col(User.id).in_(user_ids))
    return dict(ctx.session.exec(statement).all())


def call_upon(ctx: Context, user_ids: Collection[UUID], *, text: str, path: str) -> None:
    """Mail those whom a note mentions, but not its own author."""
    others = set(user_ids) - {ctx.actor.user_id}
    if not others:
        return
    workspace = ctx.session.get_one(Tenant, ctx.tenant_id).name
    for user in ctx.session.exec(select(User).where(col(User.id).in_(others))):
        mails.mentioned(
            ctx,
            user.email,
            user.name,
            by=ctx.actor.name,
            workspace=workspace,
            text=text,
            path=path,
        )
