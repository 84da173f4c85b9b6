"""Names of those who saved and published."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import User

NOBODY = "A program"


def names_of(ctx: Context, user_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """By id. No id means that a program did it."""
    wanted = {one for one in user_ids if one is not None}
    found = ctx.session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all()
    return dict.fromkeys(wanted, "Someone") | dict(found) | {None: NOBODY}


def name_of(ctx: Context, user_id: UUID | None) -> str:
    return names_of(ctx, [user_id])[user_id]
