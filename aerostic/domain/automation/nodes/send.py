"""Messages that leave: each is a row of the outbox, written in the step's own transaction."""

from pydantic import Field

from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.fields import Paragraphs, widget
from aerostic.domain.automation.nodes.sending import Addressed, Sends
from aerostic.domain.inbox.drafts import TEXT_LIMIT, Draft


class SendText(Sends):
    kind = "send.text"
    title = "Send text"
    icon = "message-circle"
    summary = "Sends a text. Within 24 hours of the contact's last message."

    class Config(Addressed):
        text: Paragraphs = Field(
            title="Text",
            description="You may use *bold*, _italic_ and values such as {{ contact.name }}.",
            min_length=1,
            max_length=TEXT_LIMIT,
            json_schema_extra=widget("multiline"),
        )
        preview_url: bool = Field(
            default=False, title="Show a preview of the first link in the text"
        )

    @classmethod
    def draft(cls, ctx: Context, config: Config, key: str) -> Draft:
        return Draft.text(config.text, key=key, preview_url=config.preview_url)
