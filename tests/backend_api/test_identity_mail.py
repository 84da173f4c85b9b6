"""E-mails on their way out: to a real SMTP conversation, or into the folder."""

import re
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import delete
from sqlmodel import select

from aerostic.core import queue
from aerostic.core.ids import new_id
from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import mails
from aerostic.domain.mail import outbox
from aerostic.domain.mail.models import WaitingMail
from aerostic.domain.platform import timers
from aerostic.domain.platform.models import Timer
from aerostic.integrations import email
from aerostic.integrations.email import Mail, NotSent
from tests.mailbox import mails_to, text_of
from workers import scheduler
from workers.jobs.mail import send_waiting

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


@pytest.fixture(autouse=True)
def nothing_waits() -> None:
    """What earlier tests asked for and did not send is not sent here."""
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(delete(WaitingMail))


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
    email.send(MAIL, message_id=new_id())
    [taken] = server.taken
    assert "To: ada@example.test" in taken
    assert "Auto-Submitted: auto-generated" in taken
    assert "text/plain" in taken
    assert "text/html" in taken


def test_a_mail_server_that_refuses_is_told_apart_from_a_bug(server):
    server.refuses = True
    with pytest.raises(NotSent):
        email.send(MAIL, message_id=new_id())
    assert server.taken == []


def ask_for_a_mail() -> None:
    with shared_work(STRANGER) as ctx:
        mails.registration_code(ctx, "ada@example.test", "Ada", "123456")


def time_passes(by: timedelta) -> None:
    with shared_work(STRANGER) as ctx:
        for one in ctx.session.exec(select(WaitingMail)):
            one.due_at, one.created_at = one.due_at - by, one.created_at - by


def waiting() -> list[WaitingMail]:
    with shared_work(STRANGER) as ctx:
        return list(ctx.session.exec(select(WaitingMail)))


def test_an_email_whose_job_is_lost_leaves_once(server, run_jobs):
    ask_for_a_mail()
    queue.connection().flushdb()  # Redis dies after the commit
    assert (run_jobs(), server.taken) == (0, [])
    with shared_work(STRANGER) as ctx:
        timers.prepare(ctx, scheduler.SCHEDULE)
        for timer in ctx.session.exec(select(Timer)):
            timer.next_run_at = ctx.now
    scheduler.look()
    run_jobs()
    send_waiting()
    [taken] = server.taken
    assert "Subject: 123456 is your Aerostic code" in taken
    assert waiting() == []


def test_an_email_of_work_that_was_undone_never_leaves(server, run_jobs):
    with pytest.raises(RuntimeError), shared_work(STRANGER) as ctx:
        mails.registration_code(ctx, "ada@example.test", "Ada", "123456")
        ctx.session.flush()
        raise RuntimeError
    run_jobs()
    send_waiting()
    assert (server.taken, waiting()) == ([], [])


def test_an_email_that_was_refused_is_tried_again_and_the_log_never_reads_it(server, capfd, caplog):
    server.refuses = True
    ask_for_a_mail()
    send_waiting()
    [kept] = waiting()
    captured = capfd.readouterr()
    assert kept.attempts == 1
    assert "123456" not in captured.out + captured.err + caplog.text + kept.sealed
    server.refuses = False
    send_waiting(a_newer_callers_argument=1)
    assert server.taken == []  # not before its time
    time_passes(timedelta(minutes=1))
    send_waiting()
    [taken] = server.taken
    assert "Subject: 123456 is your Aerostic code" in taken
    assert waiting() == []


def test_an_email_whose_sender_was_killed_comes_again_as_the_same_email(server):
    ask_for_a_mail()
    with shared_work(STRANGER) as ctx:
        taken = outbox.take(ctx)
    email.send(taken.mail, message_id=taken.id)  # and here the power fails
    send_waiting()
    assert len(server.taken) == 1  # nobody else tries while it is held
    time_passes(outbox.LEASE)
    send_waiting()
    first, second = (re.search(r"Message-ID: (\S+)", one)[1] for one in server.taken)
    assert first == second
    assert waiting() == []


def test_an_email_that_nobody_takes_is_given_up_after_a_day(server, caplog):
    server.refuses = True
    ask_for_a_mail()
    time_passes(outbox.GIVE_UP_AFTER)
    send_waiting()
    assert waiting() == []
    assert "is given up after 1 tries" in caplog.text


def test_a_mail_server_that_is_not_there_is_told_apart_from_a_bug(monkeypatch):
    told = settings().model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1")})
    monkeypatch.setattr(email, "settings", lambda: told)
    with pytest.raises(NotSent):
        email.send(MAIL, message_id=new_id())


def test_without_a_mail_server_the_email_is_kept_in_a_folder(caplog):
    with caplog.at_level("INFO"):
        email.send(MAIL, message_id=new_id())
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


def test_a_name_in_an_email_is_never_a_link(run_jobs):
    with shared_work(STRANGER) as ctx:
        mails.invitation(
            ctx,
            "carl@example.test",
            inviter="https://evil.example/login",
            workspace="Prize at www.evil.example",
            role="an agent",
            token="t0ken",
        )
        mails.registration_code(ctx, "carl@example.test", "J.R. http://evil.example", "123456")
    run_jobs()
    for mail in mails_to("carl@example.test"):
        page = mail.get_body(("html",)).get_content()
        for told in (page, text_of(mail)):
            assert "evil.example" not in told.replace("\u200b", "·")
            assert "evil.example" in told.replace("\u200b", "")
        assert page.count("<a ") <= 1
        assert "evil" not in "".join(re.findall(r"<a [^>]*>", page))
