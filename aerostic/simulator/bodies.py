"""What `POST /{number}/messages` may contain, with the lengths of Meta's published schema."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text20 = Annotated[str, Field(min_length=1, max_length=20)]
Text24 = Annotated[str, Field(min_length=1, max_length=24)]
Text60 = Annotated[str, Field(min_length=1, max_length=60)]
Text72 = Annotated[str, Field(min_length=1, max_length=72)]
Text1024 = Annotated[str, Field(min_length=1, max_length=1024)]
Text4096 = Annotated[str, Field(min_length=1, max_length=4096)]
Identifier = Annotated[str, Field(min_length=1, max_length=256)]
RowIdentifier = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """Unknown keys are refused, as Meta refuses them."""

    model_config = ConfigDict(extra="forbid")


class TextBody(Body):
    body: Text4096
    preview_url: bool = False


class Media(Body):
    """By id of an upload or by link, never both."""

    id: str | None = None
    link: Annotated[str, Field(pattern=r"^https?://")] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Media":
        if (self.id is None) == (self.link is None):
            raise ValueError("must have exactly one of 'id' and 'link'")
        return self


class Captioned(Media):
    caption: Annotated[str, Field(max_length=1024)] | None = None


class Audio(Media):
    voice: bool = False


class Document(Captioned):
    filename: Annotated[str, Field(max_length=240)] | None = None


class Location(Body):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str | None = None
    address: str | None = None


class ContactName(Body):
    formatted_name: Annotated[str, Field(min_length=1)]
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None


class ContactCard(Body):
    name: ContactName
    phones: list[dict[str, str]] = []
    emails: list[dict[str, str]] = []
    addresses: list[dict[str, str]] = []
    urls: list[dict[str, str]] = []
    org: dict[str, str] | None = None
    birthday: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Reaction(Body):
    message_id: Annotated[str, Field(min_length=1)]
    emoji: Annotated[str, Field(max_length=64)] = ""


class HeaderMedia(Media):
    filename: str | None = None


class Header(Body):
    type: Literal["text", "image", "video", "document"]
    text: Text60 | None = None
    sub_text: Text60 | None = None
    image: HeaderMedia | None = None
    video: HeaderMedia | None = None
    document: HeaderMedia | None = None

    @model_validator(mode="after")
    def _has_its_node(self) -> "Header":
        if getattr(self, self.type) is None:
            raise ValueError(f"needs '{self.type}' because its type is {self.type}")
        return self


class TextHeader(Header):
    type: Literal["text"]


class BodyText(Body):
    text: Text1024


class FooterText(Body):
    text: Text60


class ReplyTitle(Body):
    id: Identifier
    title: Text20


class ReplyButton(Body):
    type: Literal["reply"]
    reply: ReplyTitle


class ButtonAction(Body):
    buttons: Annotated[list[ReplyButton], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _unique(self) -> "ButtonAction":
        if len({button.reply.id for button in self.buttons}) < len(self.buttons):
            raise ValueError("has two buttons with one id")
        if len({button.reply.title for button in self.buttons}) < len(self.buttons):
            raise ValueError("has two buttons with one title")
        return self


class ListRow(Body):
    id: RowIdentifier
    title: Text24
    description: Text72 | None = None


class ListSection(Body):
    title: Text24 | None = None
    rows: Annotated[list[ListRow], Field(min_length=1)]


class ListAction(Body):
    button: Text20
    sections: Annotated[list[ListSection], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _at_most_ten_rows(self) -> "ListAction":
        rows = [row.id for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise ValueError("has more than 10 rows in total")
        if len(set(rows)) < len(rows):
            raise ValueError("has two rows with one id")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("has several sections, so each needs a title")
        return self


class UrlParameters(Body):
    display_text: Text20
    url: Annotated[str, Field(pattern=r"^https?://", max_length=2000)]


class UrlAction(Body):
    name: Literal["cta_url"]
    parameters: UrlParameters


class FlowParameters(Body):
    flow_message_version: Literal["3", 3]
    flow_cta: Text20
    flow_id: str | None = None
    flow_name: str | None = None
    flow_token: str | None = None
    mode: Literal["published", "draft"] = "published"
    flow_action: Literal["navigate", "data_exchange"] = "navigate"
    flow_action_payload: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _names_a_flow(self) -> "FlowParameters":
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("must have exactly one of 'flow_id' and 'flow_name'")
        return self


class FlowAction(Body):
    name: Literal["flow"]
    parameters: FlowParameters


class NamedAction(Body):
    """An action that only has a name, and for some kinds free parameters."""

    name: Literal[
        "send_location",
        "catalog_message",
        "call_permission_request",
        "request_contact_info",
        "address_message",
        "voice_call",
        "review_and_pay",
        "review_order",
    ]
    parameters: dict[str, Any] | None = None


class ProductAction(Body):
    catalog_id: str
    product_retailer_id: str


class ProductItem(Body):
    product_retailer_id: str


class ProductSection(Body):
    title: Text24
    product_items: Annotated[list[ProductItem], Field(min_length=1, max_length=30)]


class ProductListAction(Body):
    catalog_id: str
    sections: Annotated[list[ProductSection], Field(min_length=1, max_length=10)]


class CarouselAction(Body):
    cards: Annotated[list[dict[str, Any]], Field(min_length=2, max_length=10)]


class ButtonMessage(Body):
    type: Literal["button"]
    header: Header | None = None
    body: BodyText
    footer: FooterText | None = None
    action: ButtonAction


class ListMessage(Body):
    type: Literal["list"]
    header: TextHeader | None = None
    body: BodyText
    footer: FooterText | None = None
    action: ListAction


class UrlMessage(Body):
    type: Literal["cta_url"]
    header: Header | None = None
    body: BodyText
    footer: FooterText | None = None
    action: UrlAction


class FlowMessage(Body):
    type: Literal["flow"]
    header: Header | None = None
    body: BodyText
    footer: FooterText | None = None
    action: FlowAction


class PlainRequest(Body):
    """Location, contact, address and call-permission requests, calls, catalogues and orders."""

    type: Literal[
        "location_request_message",
        "catalog_message",
        "call_permission_request",
        "request_contact_info",
        "address_message",
        "voice_call",
        "order_details",
        "order_status",
    ]
    header: Header | None = None
    body: BodyText | None = None
    footer: FooterText | None = None
    action: NamedAction


class ProductMessage(Body):
    type: Literal["product"]
    body: BodyText | None = None
    footer: FooterText | None = None
    action: ProductAction


class ProductListMessage(Body):
    type: Literal["product_list"]
    header: TextHeader
    body: BodyText
    footer: FooterText | None = None
    action: ProductListAction


class CarouselMessage(Body):
    type: Literal["carousel"]
    body: BodyText
    action: CarouselAction


Interactive = Annotated[
    ButtonMessage
    | ListMessage
    | UrlMessage
    | FlowMessage
    | PlainRequest
    | ProductMessage
    | ProductListMessage
    | CarouselMessage,
    Field(discriminator="type"),
]


class Language(Body):
    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$")]
    policy: Literal["deterministic"] | None = None


class Parameter(Body):
    type: Literal[
        "text",
        "currency",
        "date_time",
        "image",
        "video",
        "document",
        "location",
        "payload",
        "coupon_code",
        "action",
        "product",
        "limited_time_offer",
    ]
    text: Annotated[str, Field(min_length=1, max_length=32768)] | None = None
    parameter_name: str | None = None
    currency: dict[str, Any] | None = None
    date_time: dict[str, Any] | None = None
    image: HeaderMedia | None = None
    video: HeaderMedia | None = None
    document: HeaderMedia | None = None
    location: Location | None = None
    payload: Annotated[str, Field(max_length=128)] | None = None
    coupon_code: Annotated[str, Field(max_length=20)] | None = None
    action: dict[str, Any] | None = None
    product: dict[str, Any] | None = None
    limited_time_offer: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_its_node(self) -> "Parameter":
        if getattr(self, self.type) is None:
            raise ValueError(f"needs '{self.type}' because its type is {self.type}")
        return self


class Component(Body):
    type: Literal["header", "body", "button", "carousel", "limited_time_offer", "footer"]
    sub_type: str | None = None
    index: int | None = None
    parameters: list[Parameter] = []
    cards: list[dict[str, Any]] | None = None

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        """Meta reads `BODY` and `body` alike."""
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            return value | {"type": value["type"].lower()}
        return value

    @model_validator(mode="after")
    def _button_is_addressed(self) -> "Component":
        if self.type == "button" and (self.sub_type is None or self.index is None):
            raise ValueError("needs 'sub_type' and 'index' because its type is button")
        return self


class Template(Body):
    name: Annotated[str, Field(min_length=1, max_length=512)]
    language: Language
    components: list[Component] = []
    namespace: str | None = None


class ReplyContext(Body):
    message_id: Annotated[str, Field(min_length=1)]


MESSAGE_TYPES = (
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
)
MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")


class OutboundMessage(Body):
    """The whole request. Exactly the node of its type belongs in it."""

    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual", "group"] = "individual"
    to: str | None = None
    recipient: str | None = None
    type: Literal[
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "reaction",
        "interactive",
        "template",
    ] = "text"
    context: ReplyContext | None = None
    biz_opaque_callback_data: Annotated[str, Field(max_length=512)] | None = None
    recipient_identity_key_hash: str | None = None
    message_activity_sharing: bool | None = None
    text: TextBody | None = None
    image: Captioned | None = None
    video: Captioned | None = None
    audio: Audio | None = None
    document: Document | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: Annotated[list[ContactCard], Field(min_length=1, max_length=257)] | None = None
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    template: Template | None = None

    def content(self) -> dict[str, Any]:
        """The node of this type, without what was left out."""
        node = getattr(self, self.type)
        if isinstance(node, list):
            return {
                self.type: [
                    item.model_dump(exclude_none=True, exclude_defaults=True) for item in node
                ]
            }
        return {self.type: node.model_dump(exclude_none=True)}


class ReadReceipt(Body):
    """`status: read`, alone or with a typing indicator."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Annotated[str, Field(min_length=1)]
    typing_indicator: dict[Literal["type"], Literal["text"]] | None = None
