"""What the product mailed: in tests, as in development, into a folder."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from aerostic.core.settings import settings


def mails_to(address: str) -> list[EmailMessage]:
    """Every e-mail to an address, oldest first. Run the jobs before."""
    messages = [_read(path) for path in sorted((settings().data_dir / "mail").glob("*.eml"))]
    return [message for message in messages if message["To"] == address]


def text_of(message: EmailMessage) -> str:
    """Its plain text."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def code_for(address: str) -> str:
    """The code in the last e-mail to an address."""
    found = re.search(r"Your code is (\d{6})\.", text_of(mails_to(address)[-1]))
    assert found, f"no code in {text_of(mails_to(address)[-1])}"
    return found[1]


def link_token_for(address: str) -> str:
    """The token of the link in the last e-mail to an address."""
    found = re.search(r"accept-invite\?token=([\w-]+)", text_of(mails_to(address)[-1]))
    assert found
    return found[1]


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
