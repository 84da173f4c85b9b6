"""E-mails, sent apart from the request that asked for them."""

from aerostic.core import metrics
from aerostic.core.permissions import system
from aerostic.core.tenancy import shared_work
from aerostic.domain.mail import outbox
from aerostic.domain.mail.outbox import Taken
from aerostic.integrations import email

ACTOR = system("mail")
NO_KEY = "it was sealed with a key that is no longer configured"


def send_waiting(**_: object) -> None:
    """Send what waits, one after the other. `**_`: an older worker survives a newer caller.

    Where one is not taken, the rest waits for the next look: most often the server is out of reach.
    """
    while True:
        with shared_work(ACTOR) as ctx:
            taken = outbox.take(ctx)
        if taken is None or not _send(taken):
            return


def _send(taken: Taken) -> bool:
    if problem := _refusal(taken):
        metrics.MAILS.labels("not sent").inc()
        with shared_work(ACTOR) as ctx:
            outbox.not_sent(ctx, taken.id, problem)
        return False
    metrics.MAILS.labels("sent").inc()
    with shared_work(ACTOR) as ctx:
        outbox.sent(ctx, taken.id)
    return True


def _refusal(taken: Taken) -> str | None:
    """Send it, or say why it did not leave."""
    if taken.mail is None:
        return NO_KEY
    try:
        email.send(taken.mail, message_id=taken.id)
    except email.NotSent as error:
        return error.message
    return None
