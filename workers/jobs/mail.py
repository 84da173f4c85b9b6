"""E-mails, sent apart from the request that asked for them."""

import json

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


def _send(mail: email.Mail) -> None:
    """Try for two minutes. As a block and not a decorator, which would log the e-mail at each retry."""
    for attempt in stamina.retry_context(
        on=email.NotSent, attempts=5, wait_initial=2, wait_max=40, timeout=120
    ):
        with attempt:
            email.send(mail)
