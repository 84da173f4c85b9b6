"""E-mails that wait to leave."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from aerostic.core.ids import new_id
from aerostic.core.tenancy import SharedModel, created, moment


class WaitingMail(SharedModel, table=True):
    """An e-mail that was asked for. Deleted once the mail server has it.

    To whom and what stands in `sealed` alone, bound to this row: some have no workspace yet, and a code
    must not lie readable. Whoever tries one moves `due_at` on, so that nobody else does meanwhile.
    """

    __tablename__ = "waiting_mails"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    sealed: str
    attempts: int = 0
    due_at: datetime = moment(index=True)
    created_at: datetime = created()
