"""Messages that leave: each is a row of the outbox, written in the step's own transaction."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from aerostic.core.errors import Invalid
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes import files
from aerostic.domain.automation.nodes.base import Outside, Step
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Chosen,
    Line,
    Pair,
    Paragraphs,
    Part,
    Text,
    widget,
)
from aerostic.domain.automation.nodes.logic import RowId, port_name
from aerostic.domain.automation.nodes.sending import Addressed, Sends
from aerostic.domain.inbox import drafts
from aerostic.domain.inbox.drafts import (
    BODY_LIMIT,
    CAPTION_LIMIT,
    CAPTIONED,
    ROW_DESCRIPTION_LIMIT,
    ROW_TITLE_LIMIT,
    ROWS,
    SMALL_LIMIT,
    TEXT_LIMIT,
    TITLE_LIMIT,
    Button,
    Draft,
    Header,
    ListRow,
    ListSection,
)
from aerostic.domain.media.models import Media


def body(title: str = "Text", most: int = BODY_LIMIT) -> Any:
    return Field(
        title=title,
        description="You may use *bold*, _italic_ and values such as {{ contact.name }}.",
        min_length=1,
        max_length=most,
        json_schema_extra=widget("multiline"),
    )


FOOTER: Any = Field(default="", title="Footer", max_length=SMALL_LIMIT)
HEADER: Any = Field(default="", title="Header", max_length=SMALL_LIMIT)
FILE: Any = Field(
    default=None,
    title="File",
    description="One that you choose here, or one that came in: {{ message.media_id }}.",
    json_schema_extra=widget("media"),
)
HEADER_FILE: Any = Field(
    default=None,
    title="Picture, video or document above the text",
    json_schema_extra=widget("media"),
)


class SendText(Sends):
    kind = "send.text"
    title = "Send text"
    icon = "message-circle"
    summary = "Sends a text, within 24 hours of the contact's last message."

    class Config(Addressed):
        text: Paragraphs = body(most=TEXT_LIMIT)
        preview_url: bool = Field(
            default=False, title="Show a preview of the first link in the text"
        )

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        return Draft.text(config.text, key=key, preview_url=config.preview_url)


class MediaKind(StrEnum):
    AUTO = "auto"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"


class SendMedia(Sends):
    prepares = True
    kind = "send.media"
    title = "Send a file"
    icon = "image"
    summary = "Sends a picture, a video, a voice note, a document or a sticker."

    class Config(Addressed):
        media: Chosen = FILE
        url: Line = Field(
            default="",
            title="Or the address of a file",
            description="Such as {{ apiResponse.body.invoice_url }}. It is fetched when the step is"
            f" taken, and may have {files.MOST_BYTES // 1_000_000} MB.",
            max_length=8_000,
        )
        shown_as: MediaKind = Field(
            default=MediaKind.AUTO, title="Sent as", description="Auto: as the file is."
        )
        caption: Paragraphs = Field(
            default="",
            title="Caption",
            description="Below a picture, a video or a document.",
            max_length=CAPTION_LIMIT,
        )

        @model_validator(mode="after")
        def _is_one_file(self) -> "SendMedia.Config":
            if (self.media is None) is (not self.url.strip()):
                raise ValueError("Choose a file, or give the address of one")
            return self

    @classmethod
    async def prepare(cls, step: Step, config: Any, outside: Outside) -> Any:
        """Fetch the file, if it is one by its address."""
        if config.media is not None:
            return config
        return config.model_copy(update={"media": await files.fetch(config.url.strip(), outside)})

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        media = _file(ctx, config.media)
        kind = _kind_of(media) if config.shown_as is MediaKind.AUTO else config.shown_as.value
        is_voice = kind == MediaKind.VOICE
        kind = "audio" if is_voice else kind
        caption = config.caption if kind in CAPTIONED else ""
        name = media.file_name
        return Draft.media(
            config.media, kind, caption=caption, file_name=name, is_voice=is_voice, key=key
        )


def _file(ctx: Context, media_id: UUID) -> Media:
    found = ctx.get(Media, media_id)
    if found is None:
        raise Invalid("media", "That file is not here (any more). Choose it again.")
    return found


def _kind_of(media: Media) -> str:
    bare = media.mime_type.partition(";")[0].strip().lower()
    if bare == "image/webp":
        return "sticker"
    family = bare.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "document"


def _header(ctx: Context, text: str, media_id: UUID | None) -> Header | None:
    if media_id is not None:
        kind = _kind_of(_file(ctx, media_id))
        return Header(kind=kind if kind in drafts.HEADER_KINDS else "document", media_id=media_id)
    return Header(text) if text else None


class ReplyButton(Part):
    id: RowId = ""
    title: Text = Field(title="Title", min_length=1, max_length=TITLE_LIMIT)


class SendButtons(Sends):
    kind = "send.buttons"
    title = "Send buttons"
    icon = "square-mouse-pointer"
    summary = (
        "Sends a text with up to three buttons, and goes on. “Ask to choose” waits for the tap."
    )

    class Config(Addressed):
        text: Paragraphs = body()
        buttons: list[ReplyButton] = Field(
            title="Buttons", min_length=1, max_length=3, json_schema_extra=widget("rows")
        )
        header: Line = HEADER
        header_media: Chosen = HEADER_FILE
        footer: Line = FOOTER

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        buttons = [
            Button(port_name(one.id, "button", place), one.title)
            for place, one in enumerate(config.buttons, start=1)
        ]
        header = _header(ctx, config.header, config.header_media)
        return Draft.buttons(config.text, buttons, header=header, footer=config.footer, key=key)


class Row(Part):
    id: RowId = ""
    title: Text = Field(title="Title", min_length=1, max_length=ROW_TITLE_LIMIT)
    description: Text = Field(default="", title="Description", max_length=ROW_DESCRIPTION_LIMIT)
    section: Text = Field(
        default="",
        title="Section",
        description="Rows of one section stand together.",
        max_length=ROW_TITLE_LIMIT,
    )


class SendList(Sends):
    kind = "send.list"
    title = "Send a list"
    icon = "list"
    summary = "Sends a text with a list of up to ten rows, and goes on."

    class Config(Addressed):
        text: Paragraphs = body()
        button: Line = Field(default="Choose", title="Button", min_length=1, max_length=TITLE_LIMIT)
        rows: list[Row] = Field(
            title="Rows", min_length=1, max_length=ROWS, json_schema_extra=widget("rows")
        )
        header: Line = HEADER
        footer: Line = FOOTER

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        sections: dict[str, list[ListRow]] = {}
        for place, row in enumerate(config.rows, start=1):
            made = ListRow(port_name(row.id, "row", place), row.title, row.description)
            sections.setdefault(row.section, []).append(made)
        return Draft.list(
            config.text,
            config.button,
            [ListSection(rows, title) for title, rows in sections.items()],
            header=Header(config.header) if config.header else None,
            footer=config.footer,
            key=key,
        )


class SendLink(Sends):
    kind = "send.link"
    title = "Send a link button"
    icon = "external-link"
    summary = "Sends a text with one button that opens a web page."

    class Config(Addressed):
        text: Paragraphs = body()
        label: Line = Field(title="Button", min_length=1, max_length=TITLE_LIMIT)
        url: Line = Field(
            title="Address", description="Such as https://example.com.", max_length=2_000
        )
        header: Line = HEADER
        header_media: Chosen = HEADER_FILE
        footer: Line = FOOTER

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        header = _header(ctx, config.header, config.header_media)
        return Draft.link(
            config.text,
            config.label,
            config.url.strip(),
            header=header,
            footer=config.footer,
            key=key,
        )


class SendTemplate(Sends):
    kind = "send.template"
    title = "Send a template"
    icon = "file-text"
    summary = "Sends an approved template, also when the contact last wrote more than 24 hours ago."

    class Config(Addressed):
        template: UUID = Field(title="Template", json_schema_extra=widget("template"))
        variables: list[Pair] = Field(
            default=[],
            title="Values of its gaps",
            description="By place: body.1 or body.first_name, header.1, header.media, button.0.",
            max_length=50,
            json_schema_extra=widget("template_values"),
        )

        @field_validator("variables", mode="before")
        @classmethod
        def _rows(cls, value: Any) -> Any:
            if isinstance(value, Mapping):
                return [{"name": str(name), "value": part} for name, part in value.items()]
            return value

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        variables = {one.name: one.value for one in config.variables}
        return Draft.template(config.template, variables, key=key)


class SendFlow(Sends):
    kind = "send.flow"
    title = "Send a form"
    icon = "clipboard-list"
    summary = "Sends a WhatsApp Flow. What the contact enters begins “Form sent”."

    class Config(Addressed):
        text: Paragraphs = body()
        flow_id: Line = Field(
            title="Id of the flow", description="The number that Meta shows.", max_length=40
        )
        label: Line = Field(default="Open", title="Button", min_length=1, max_length=TITLE_LIMIT)
        screen: Line = Field(
            default="",
            title="First screen",
            description="Its id. Empty: the flow's own endpoint says.",
            max_length=80,
        )
        values: Anything = Field(
            default=None,
            title="Values for the first screen",
            description='An object such as {"name": "{{ contact.name }}"}.',
        )
        token: Line = Field(
            default="",
            title="Token",
            description="Comes back with the answers. Empty: the id of this step.",
            max_length=200,
        )
        is_draft: bool = Field(
            default=False, title="The flow is not published yet", description="For tests only."
        )
        header: Line = HEADER
        header_media: Chosen = HEADER_FILE
        footer: Line = FOOTER

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        return Draft.flow(
            config.text,
            config.label,
            config.flow_id.strip(),
            token=config.token or key,
            screen=config.screen,
            values=config.values if isinstance(config.values, dict) else None,
            is_draft=config.is_draft,
            header=_header(ctx, config.header, config.header_media),
            footer=config.footer,
            key=key,
        )


class Offered(StrEnum):
    PRODUCT = "product"
    PRODUCTS = "products"
    CATALOGUE = "catalogue"


class Product(Part):
    id: Line = Field(
        title="Product", description="Its id in the shop.", min_length=1, max_length=100
    )
    section: Text = Field(default="", title="Section", max_length=ROW_TITLE_LIMIT)


class SendProduct(Sends):
    kind = "send.product"
    title = "Send products"
    icon = "shopping-bag"
    summary = "Sends one product, a list of products, or the whole catalogue."

    class Config(Addressed):
        offered: Offered = Field(default=Offered.PRODUCT, title="What")
        catalog_id: Line = Field(
            default="",
            title="Id of the catalogue",
            max_length=100,
            json_schema_extra={"show_if": {"offered": ["product", "products"]}},
        )
        products: list[Product] = Field(
            default=[],
            title="Products",
            description="One; or up to 30 for a list; or one whose picture stands for the catalogue.",
            max_length=drafts.PRODUCTS,
            json_schema_extra=widget("rows"),
        )
        text: Paragraphs = Field(default="", title="Text", max_length=BODY_LIMIT)
        header: Line = Field(
            default="",
            title="Header",
            max_length=SMALL_LIMIT,
            json_schema_extra={"show_if": {"offered": ["products"]}},
        )
        footer: Line = FOOTER

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        ids = [one.id for one in config.products]
        parts = {"footer": config.footer, "key": key}
        if config.offered is Offered.CATALOGUE:
            return Draft.catalogue(config.text, thumbnail=ids[0] if ids else "", **parts)
        if config.offered is Offered.PRODUCTS:
            return Draft.products(
                config.catalog_id,
                _sections(config),
                header=config.header,
                body=config.text,
                **parts,
            )
        if len(ids) != 1:
            raise Invalid("products", "Choose one product, or send them as a list.")
        return Draft.product(config.catalog_id, ids[0], body=config.text, **parts)


def _sections(config: Any) -> dict[str, list[str]]:
    """Products by section. Meta wants a title for each: the header stands in."""
    sections: dict[str, list[str]] = {}
    for one in config.products:
        sections.setdefault(one.section or config.header[:ROW_TITLE_LIMIT], []).append(one.id)
    return sections


class SendLocation(Sends):
    kind = "send.location"
    title = "Send a location"
    icon = "map-pin"
    summary = "Sends a place on the map."

    class Config(Addressed):
        latitude: float = Field(title="Latitude", description="Such as 52.52.", ge=-90, le=90)
        longitude: float = Field(title="Longitude", description="Such as 13.405.", ge=-180, le=180)
        name: Line = Field(default="", title="Name", max_length=1_000)
        address: Line = Field(default="", title="Address", max_length=1_000)

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        place = (config.latitude, config.longitude)
        return Draft.location(*place, name=config.name, address=config.address, key=key)
