"""Plans, and which workspace has which."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from aerostic.core.tenancy import SharedModel, TenantModel, created, moment, new_key


class Plan(SharedModel, table=True):
    """Limits under a name. None: no limit. Nothing private: every workspace may read what there is.

    Whoever has no subscription has the default plan. One with `trial_days` ends for good after so many.
    """

    __tablename__ = "plans"
    __table_args__ = (
        Index("plans_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    id: UUID = new_key()
    slug: str = Field(unique=True)
    name: str
    summary: str = ""
    position: int = 0
    is_default: bool = False
    trial_days: int | None = None
    numbers: int | None = None
    members: int | None = None
    contacts: int | None = Field(default=None, sa_type=BigInteger)
    messages: int | None = Field(default=None, sa_type=BigInteger)  # a month
    tokens: int | None = Field(default=None, sa_type=BigInteger)  # a month
    storage_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = created()


class Subscription(TenantModel, table=True):
    """A workspace's own plan. `trial_ends_at`: another end than the plan's own."""

    __tablename__ = "subscriptions"
    __table_args__ = (ForeignKeyConstraint(["plan_id"], ["plans.id"]),)

    tenant_id: UUID = Field(default=None, primary_key=True)
    plan_id: UUID
    trial_ends_at: datetime | None = moment(default=None)
    asked_for: str = ""  # the plan that the owner asked the platform for
    since: datetime = created()
