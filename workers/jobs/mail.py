"""E-mails, sent apart from the request that asked for them."""

import json
from datetime import timedelta

import stamina

from aerostic.core import metrics
from aerostic.core.crypto import decrypt
from aerostic.domain.identity.mails import BOUND_TO
from aerostic.integrations import email


def send(*, sealed: str, **_: object) -> None:
    """Send one e-mail. Its text travels sealed, because it may hold a code."""
    mail = email.Mail(**json.loads(decrypt(sealed, bound_to=BOUND_TO)))
    try:
        _send(mail)
    except email.NotSent:
        metrics.MAILS.labels("not sent").inc()
        raise
    metrics.MAILS.labels("sent").inc()


@stamina.retry(on=email.NotSent, attempts=5, wait_initial=timedelta(seconds=2), timeout=120)
def _send(mail: email.Mail) -> None:
    email.send(mail)
