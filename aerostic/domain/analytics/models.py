"""How far a workspace's days have been counted."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, created, moment


class AnalyticsProgress(TenantModel, table=True):
    """When the days were last counted, in which time zone, and when that is due again.

    `next_day` is where a recount of older days goes on, back to `last_day`; None where none is under way.
    """

    __tablename__ = "analytics_progress"

    tenant_id: UUID = Field(default=None, primary_key=True)
    time_zone: str = ""  # "": never counted
    counted_at: datetime | None = moment(default=None)
    recounted_at: datetime | None = moment(default=None)  # when that of older days last began
    next_day: date | None = None
    last_day: date | None = None
    due_at: datetime = created()
