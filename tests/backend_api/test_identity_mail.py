"""E-mails on their way out: to a real SMTP conversation, or into the folder."""

import socketserver
import threading
from collections.abc import Iterator

import pytest
import stamina
from pydantic import SecretStr

from aerostic.core.settings import settings
from aerostic.integrations import email
from aerostic.integrations.email import Mail, NotSent
from tests.mailbox import mails_to, text_of

MAIL = Mail("ada@example.test", "123456 is your code – ☕", "Hello.\n", "<p>Hello.</p>")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail as any mail server does, or refuses every recipient."""

    allow_reuse_address = True
    daemon_threads = True
    refuses = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.taken: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("220 here")
        for raw in self.rfile:
            verb = raw.decode().split()[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.taken.append(b"".join(lines).decode())
            refused = verb == "RCPT" and self.server.refuses
            self.say("451 later, please" if refused else "250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server(monkeypatch) -> Iterator[MailServer]:
    with MailServer() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}).start()
        url = SecretStr(f"smtp://127.0.0.1:{running.server_address[1]}")
        told = settings().model_copy(update={"smtp_url": url})
        monkeypatch.setattr(email, "settings", lambda: told)
        yield running
        running.shutdown()


def test_an_email_reaches_the_mail_server(server):
    email.send(MAIL)
    [taken] = server.taken
    assert "To: ada@example.test" in taken
    assert "Auto-Submitted: auto-generated" in taken
    assert "text/plain" in taken
    assert "text/html" in taken


def test_a_mail_server_that_refuses_is_told_apart_from_a_bug(server):
    server.refuses = True
    with pytest.raises(NotSent):
        email.send(MAIL)
    assert server.taken == []


def test_the_job_tries_again_and_does_not_tell_the_log_what_it_sends(server, capfd, caplog):
    from aerostic.core.permissions import STRANGER
    from aerostic.core.tenancy import shared_work
    from aerostic.domain.identity import mails
    from workers.jobs.mail import send

    with shared_work(STRANGER) as ctx:
        mails.registration_code(ctx, "ada@example.test", "Ada", "123456")
        sealed = str(ctx._jobs[0].kwargs["sealed"])
    server.refuses = True
    with stamina.set_testing(True, attempts=3), pytest.raises(NotSent):
        send(sealed=sealed)
    captured = capfd.readouterr()
    assert "123456" not in captured.out + captured.err + caplog.text
    server.refuses = False
    send(sealed=sealed, a_newer_callers_argument=1)
    [taken] = server.taken
    assert "Subject: 123456 is your Aerostic code" in taken


def test_a_mail_server_that_is_not_there_is_told_apart_from_a_bug(monkeypatch):
    told = settings().model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1")})
    monkeypatch.setattr(email, "settings", lambda: told)
    with pytest.raises(NotSent):
        email.send(MAIL)


def test_without_a_mail_server_the_email_is_kept_in_a_folder(caplog):
    with caplog.at_level("INFO"):
        email.send(MAIL)
    [mail] = mails_to("ada@example.test")
    assert mail["Subject"] == MAIL.subject
    assert text_of(mail) == "Hello.\n"
    assert "123456 is your code" in caplog.text
    assert "mail/" in caplog.text


def test_a_name_can_add_neither_a_header_nor_a_tag(place, run_jobs):
    from aerostic.domain.identity import mails

    with place.work() as ctx:
        mails.invitation(
            ctx,
            "bob@example.test",
            inviter="Eve\r\nBcc: everyone@example.test",
            workspace="<script>alert(1)</script>",
            role="an agent",
            token="t0ken",
        )
    run_jobs()
    [mail] = mails_to("bob@example.test")
    assert mail["Bcc"] is None
    assert "<script>" not in mail.get_body(("html",)).get_content()
