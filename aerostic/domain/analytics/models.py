"""How far a workspace's days have been counted."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, created, moment


class AnalyticsProgress(TenantModel, table=True):
    """When the days were last counted, in which time zone, and when that is due again."""

    __tablename__ = "analytics_progress"

    tenant_id: UUID = Field(default=None, primary_key=True)
    time_zone: str = ""  # "": never counted
    counted_at: datetime | None = moment(default=None)
    recounted_at: datetime | None = moment(default=None)  # the older days too
    due_at: datetime = created()
