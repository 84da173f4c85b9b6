"""The answer to whoever posted to a workflow's address."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from aerostic.domain.automation import templates
from aerostic.domain.automation.nodes.base import Group, Instant, NodeConfig, Outcome, Respond, Step
from aerostic.domain.automation.nodes.fields import Anything, Pair, widget

# What would change how the answer itself is carried, or what a browser believes of our address.
KEPT_FOR_US = {
    "connection",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "keep-alive",
    "date",
    "server",
    "set-cookie",
    "strict-transport-security",
    "content-security-policy",
}


class BodyType(StrEnum):
    JSON = "json"
    TEXT = "text"
    NONE = "none"


class RespondToWebhook(Instant):
    kind = "webhook.respond"
    title = "Respond to webhook"
    group = Group.OUTSIDE
    icon = "reply"
    summary = "Answers the program that posted to this workflow. The run goes on afterwards."

    class Config(NodeConfig):
        status: int = Field(default=200, title="Status", ge=200, le=599)
        body_type: BodyType = Field(default=BodyType.JSON, title="Body")
        body: Anything = Field(
            default={"ok": True},
            title="Content",
            description="An object, a list, a text, or an expression.",
        )
        headers: list[Pair] = Field(
            default=[], title="Headers", max_length=30, json_schema_extra=widget("rows")
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        headers = {one.name: one.value for one in config.headers if _may_be_set(one)}
        given = None if config.body_type is BodyType.NONE else config.body
        body = templates.written(given) if config.body_type is BodyType.TEXT else given
        left_out = tuple(one.name for one in config.headers if one.name not in headers)
        return Outcome(
            output={"status": config.status, "headers": headers, "body": body},
            respond=Respond(config.status, headers, body),
            warnings=tuple(f"The header “{name}” can not be set here." for name in left_out),
        )


def _may_be_set(header: Pair) -> bool:
    text = header.name + header.value
    is_plain = header.name.isascii() and all(sign.isalnum() or sign == "-" for sign in header.name)
    return is_plain and header.name.lower() not in KEPT_FOR_US and text.isprintable()
