"""E-mails that a workflow sends, through the product's own mail server."""

from typing import Any

from limits import RateLimitItemPerDay
from pydantic import Field

from aerostic.core import rates
from aerostic.core.errors import Invalid
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TOOL,
    Change,
    Group,
    NodeFailed,
    Outcome,
    Step,
)
from aerostic.domain.automation.nodes.fields import Line, Paragraphs, ToolConfig
from aerostic.domain.contacts import fields
from aerostic.domain.identity import mails
from aerostic.domain.tenants.models import Tenant

MOST_RECIPIENTS = 10
# It leaves under our name: a workspace that sends masses would get all others refused.
A_DAY = RateLimitItemPerDay(1_000)


class SendEmail(Change):
    kind = "email.send"
    title = "Send an e-mail"
    group = Group.OUTSIDE
    icon = "mail"
    summary = (
        "Sends an e-mail, for example to a colleague. It leaves with the name of your workspace."
    )
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        to: Line = Field(
            title="To",
            description=f"One address, or up to {MOST_RECIPIENTS} with commas between them.",
            min_length=1,
            max_length=2_000,
        )
        subject: Line = Field(title="Subject", min_length=1, max_length=200)
        text: Paragraphs = Field(title="Text", min_length=1, max_length=20_000)

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        recipients = _addresses(config.to)
        for address in recipients:
            hand_over(ctx, address, config.subject, config.text)
        return Outcome(output={"to": recipients, "subject": config.subject})


def hand_over(ctx: Context, to: str, subject: str, text: str) -> None:
    """Send it after the commit. Raises NodeFailed where this workspace has sent too many today."""
    if not rates.count_roughly(A_DAY, f"mails:{ctx.tenant_id}").is_allowed:
        raise NodeFailed(f"A workspace sends at most {A_DAY.amount:,} e-mails a day.")
    tenant = ctx.session.get(Tenant, ctx.tenant_id)
    name = tenant.name if tenant else ""
    mails.from_workspace(ctx, to, subject=subject, text=text, workspace=name)


def _addresses(text: str) -> list[str]:
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not 1 <= len(parts) <= MOST_RECIPIENTS:
        raise NodeFailed(f"Name one to {MOST_RECIPIENTS} addresses.")
    try:
        return list(dict.fromkeys(fields.email(part) or "" for part in parts))
    except Invalid as error:
        raise NodeFailed(error.message) from error
