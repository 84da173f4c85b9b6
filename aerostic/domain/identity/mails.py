"""The e-mails that identity sends: what each says, and how it is handed over."""

import re
from html import escape
from urllib.parse import urlencode

from aerostic.core.settings import settings
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Tenant
from aerostic.domain.mail import outbox
from aerostic.integrations.email import Mail

_PAGE = """<!doctype html>
<html lang="en"><body style="margin:0;background:#f4f5f3;font-family:system-ui,sans-serif;color:#1d241f">
<div style="max-width:520px;margin:0 auto;padding:32px 20px">
<p style="font-weight:700;color:#12803c">Aerostic</p>
<div style="background:#fff;border-radius:12px;padding:24px 28px;line-height:1.5">{body}</div>
</div></body></html>
"""


def registration_code(ctx: Context, to: str, name: str, code: str) -> None:
    """To who registers with an address that has no account yet."""
    _send(
        ctx,
        to,
        f"{code} is your Aerostic code",
        [
            f"Welcome, {_named(name)}!",
            f"Your code is {code}. Enter it where you registered, within 15 minutes.",
            "If you did not register, someone typed your address by mistake. Nothing has been created, "
            "and you need do nothing.",
        ],
    )


def already_registered(ctx: Context, to: str) -> None:
    """To the owner of an address that someone registers with again."""
    _send(
        ctx,
        to,
        "You already have an Aerostic account",
        [
            "Someone, probably you, tried to register with this e-mail address.",
            f"You already have an account, so there is no code: please sign in at {_link('/login')}.",
            f"If you forgot your password, choose a new one at {_link('/forgot-password')}.",
        ],
    )


def plan_asked_for(ctx: Context, to: str, *, workspace: str, by: str, plan: str) -> None:
    """To the platform's staff: an owner would like another plan."""
    _send(
        ctx,
        to,
        f"{_named(workspace)} asks for the plan {plan}",
        [
            f"{_named(by)} of the workspace “{_named(workspace)}” would like the plan “{plan}”.",
            "Give it to them with: python3 run.py tenant plan WORKSPACE PLAN",
        ],
    )


def reset_code(ctx: Context, to: str, name: str, code: str) -> None:
    """To who forgot their password."""
    _send(
        ctx,
        to,
        f"{code} is your code for a new password",
        [
            f"Hello {_named(name)},",
            f"Your code is {code}. Enter it where you asked for it, within 15 minutes.",
            "If it was not you, leave the code unused: your password stays as it is.",
        ],
    )


def nothing_to_reset(ctx: Context, to: str) -> None:
    """To an address without an account, for which someone asked for a new password."""
    _send(
        ctx,
        to,
        "There is no Aerostic account with this address",
        [
            "Someone, probably you, asked for a new password for this e-mail address.",
            "There is no account with it. Perhaps you registered with another address? You can register "
            f"at {_link('/register')}.",
        ],
    )


def password_changed(ctx: Context, to: str, name: str) -> None:
    """To who has a new password: the alarm, if it was someone else."""
    _send(
        ctx,
        to,
        "Your password was changed",
        [
            f"Hello {_named(name)},",
            "The password of your Aerostic account was just changed, and you were signed out elsewhere.",
            f"If it was not you, take your account back at {_link('/forgot-password')}.",
        ],
    )


def second_factor_changed(ctx: Context, to: str, name: str, *, is_on: bool) -> None:
    """To who set up or removed their authenticator app."""
    what = "set up" if is_on else "removed"
    _send(
        ctx,
        to,
        f"Your second factor was {what}",
        [
            f"Hello {_named(name)},",
            f"The authenticator app of your Aerostic account was just {what}.",
            f"If it was not you, choose a new password at {_link('/forgot-password')} and tell us.",
        ],
    )


def invitation(
    ctx: Context, to: str, *, inviter: str, workspace: str, role: str, token: str
) -> None:
    """To who is invited into a workspace."""
    link = f"{_link('/accept-invite')}?{urlencode({'token': token})}"
    _send(
        ctx,
        to,
        f"{_named(inviter)} invites you to {_named(workspace)}",
        [
            "Hello,",
            f"{_named(inviter)} invites you to join {_named(workspace)} on Aerostic as {role}.",
            f"Accept within seven days: {link}",
            "If you do not know them, leave this unanswered.",
        ],
    )


def wallet_low(ctx: Context, to: str, name: str, *, tenant: Tenant, left: str) -> None:
    """To the owners, when the balance has fallen below the line that one of them drew."""
    workspace = _one_line(tenant.name)
    _send(
        ctx,
        to,
        f"{_named(workspace)} has {left} left for messages",
        [
            f"Hello {_named(name)},",
            f"The wallet of {_named(workspace)} has {left} left, which is below the line that you drew.",
            "Once it is empty, templates and campaigns are refused before they leave. How to top it up, "
            f"and where to move the line: {_link(f'/dashboard/{tenant.id}/billing')}",
        ],
    )


def webhook_disabled(
    ctx: Context, to: str, name: str, *, workspace: str, url: str, reason: str
) -> None:
    """To the owners, when another program was told nothing more because it took nothing."""
    _send(
        ctx,
        to,
        f"A webhook of {_named(workspace)} was switched off",
        [
            f"Hello {_named(name)},",
            f"Aerostic no longer tells this address what happens in {_named(workspace)}: {url}",
            reason,
            "What happens from now on is not kept for it. When the other side works again, switch it on "
            "under Settings, Webhooks; what is in the log can be sent again from there.",
        ],
    )


def template_hurt(
    ctx: Context, to: str, name: str, *, workspace: str, template: str, news: str, path: str
) -> None:
    """To the owners, when Meta stops a template or makes it cost more."""
    _send(
        ctx,
        to,
        f"Template {template}: {news.partition('.')[0]}",
        [
            f"Hello {_named(name)},",
            f"About the template {template} of {_named(workspace)}:",
            news,
            f"Look at it: {_link(path)}",
        ],
    )


def mentioned(
    ctx: Context, to: str, name: str, *, by: str, workspace: str, text: str, path: str
) -> None:
    """To a colleague whom a private note calls upon. `path` is the conversation's page."""
    _send(
        ctx,
        to,
        f"{_named(by)} mentioned you in {_named(workspace)}",
        [
            f"Hello {_named(name)},",
            f"{_named(by)} wrote in a private note:",
            text,
            f"Open the conversation: {_link(path)}",
        ],
    )


def from_workspace(ctx: Context, to: str, *, subject: str, text: str, workspace: str) -> None:
    """What a workflow of a workspace says to somebody. It is signed, so that it can not pass for ours."""
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    _send(ctx, to, subject, [*paragraphs, f"Sent by {_named(workspace)} with Aerostic."])


def _send(ctx: Context, to: str, subject: str, paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs) + "\n"
    outbox.queue(ctx, Mail(to, _one_line(subject), text, _as_page(paragraphs)))


def _as_page(paragraphs: list[str]) -> str:
    return _PAGE.format(body="".join(f"<p>{_with_links(one)}</p>" for one in paragraphs))


def _with_links(paragraph: str) -> str:
    words = [escape(word) for word in paragraph.split(" ")]
    return " ".join(
        _linked(word) if word.startswith(("http://", "https://")) else word for word in words
    )


def _linked(word: str) -> str:
    address = word.rstrip(".")
    return f'<a href="{address}">{address}</a>{word[len(address) :]}'


def _one_line(text: str) -> str:
    """A subject: a name with a line break in it must not add a header."""
    return " ".join(text.split())


# Behind each of these a mail program may see the rest of an address.
_JOINT = re.compile(r"[.:/@](?=\S)")


def _named(text: str) -> str:
    """A name that someone gave, on one line: whatever it says, no mail program makes a link of it."""
    return _JOINT.sub("\\g<0>\u200b", _one_line(text))


def _link(path: str) -> str:
    return settings().public_url + path
