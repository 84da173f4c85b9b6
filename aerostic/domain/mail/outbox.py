"""Every e-mail is a row first, written with what it tells of. A job takes it from here after the commit.

It leaves at least once. Should we die between the mail server's yes and our note of it, it leaves a second
time under the same Message-ID, by which mail programs know it for the same.
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.crypto import CannotDecrypt, decrypt, encrypt
from aerostic.core.ids import new_id
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context
from aerostic.domain.mail.models import WaitingMail
from aerostic.integrations.email import Mail

LEASE = timedelta(minutes=5)  # more than the slowest conversation with a mail server
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=1)  # a code is long worthless then, and an alarm is old news

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """An e-mail that is ours to send. `mail` is None if its key is gone."""

    id: UUID
    mail: Mail | None


def queue(ctx: Context, mail: Mail) -> None:
    """Send it after the commit. Nothing leaves if the transaction is undone."""
    mail_id = new_id()
    sealed = encrypt(json.dumps(asdict(mail)), bound_to=_place(mail_id))
    ctx.session.add(WaitingMail(id=mail_id, sealed=sealed, due_at=ctx.now))
    ctx.enqueue("workers.jobs.mail.send_waiting", queue_name=QueueName.MAIL)


def take(ctx: Context) -> Taken | None:
    """The one that has waited longest, ours for a few minutes."""
    due = select(WaitingMail).where(col(WaitingMail.due_at) <= ctx.now)
    oldest = due.order_by(col(WaitingMail.due_at)).limit(1).with_for_update(skip_locked=True)
    waiting = ctx.session.exec(oldest).one_or_none()
    if waiting is None:
        return None
    waiting.attempts += 1
    waiting.due_at = ctx.now + LEASE
    return Taken(waiting.id, _opened(waiting))


def sent(ctx: Context, mail_id: UUID) -> None:
    """The mail server has it: forget it."""
    if waiting := ctx.session.get(WaitingMail, mail_id):
        ctx.session.delete(waiting)


def not_sent(ctx: Context, mail_id: UUID, reason: str) -> bool:
    """Try again later, each time after a longer while, for a day. Whether it will be tried again."""
    waiting = ctx.session.get(WaitingMail, mail_id)
    if waiting is None:
        return False
    if ctx.now - waiting.created_at > GIVE_UP_AFTER:
        log.error("the e-mail %s is given up after %s tries: %s", mail_id, waiting.attempts, reason)
        ctx.session.delete(waiting)
        return False
    waiting.due_at = ctx.now + min(FIRST_WAIT * 2 ** min(waiting.attempts - 1, 10), LONGEST_WAIT)
    return True


def _opened(waiting: WaitingMail) -> Mail | None:
    try:
        return Mail(**json.loads(decrypt(waiting.sealed, bound_to=_place(waiting.id))))
    except CannotDecrypt:
        return None


def _place(mail_id: UUID) -> str:
    return f"waiting_mails.sealed.{mail_id}"
