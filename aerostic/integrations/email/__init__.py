"""Sending an e-mail: by SMTP, or in development into a folder, where it can be read."""

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from aerostic.core import clock
from aerostic.core.errors import Unavailable
from aerostic.core.ids import new_id
from aerostic.core.settings import settings

TIMEOUT_SECONDS = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one person, in plain text and as a page."""

    to: str
    subject: str
    text: str
    html: str


class NotSent(Unavailable):
    """The mail server did not take it; it may the next time."""

    code = "mail_not_sent"


def send(mail: Mail, *, message_id: UUID) -> None:
    """Hand one e-mail to the mail server. Raises NotSent. The same id again is the same e-mail.

    Where no server is set, it is kept in the data directory instead; the log says where.
    """
    message = _message(mail, message_id)
    url = settings().smtp_url.get_secret_value()
    if not url:
        _keep(mail, message)
        return
    try:
        with _connected(urlsplit(url)) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"The mail server did not take the e-mail: {error}") from error


def _message(mail: Mail, message_id: UUID) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings().mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{message_id}@{settings().base_domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _keep(mail: Mail, message: EmailMessage) -> None:
    folder = settings().data_dir / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{new_id()}.eml"
    _write_whole(path, message.as_bytes())
    log.info("e-mail to %s, “%s”, is kept in %s", mail.to, mail.subject, path)


def _write_whole(path: Path, content: bytes) -> None:
    """Under its name only once it is complete: someone may be watching the folder."""
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _connected(url: SplitResult) -> smtplib.SMTP:
    host = url.hostname or "localhost"
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, url.port or 465, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, url.port or 587, timeout=TIMEOUT_SECONDS)
        _encrypt(server, host)
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def _encrypt(server: smtplib.SMTP, host: str) -> None:
    """Codes do not cross a network in clear: only a server on this machine may go without."""
    server.ehlo()
    if server.has_extn("starttls") or host not in {"localhost", "127.0.0.1", "::1"}:
        server.starttls(context=ssl.create_default_context())
