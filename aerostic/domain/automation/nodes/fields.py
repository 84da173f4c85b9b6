"""What the settings of several kinds are made of."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aerostic.domain.automation import patterns, templates
from aerostic.domain.automation.nodes.base import NodeConfig, NodeFailed

T = TypeVar("T")


def as_text(value: Any) -> Any:
    """A setting that is one expression alone keeps the type of its value; a text takes any."""
    if isinstance(value, str):
        return value
    return templates.written(value)


def as_list(value: Any) -> Any:
    """An expression without a value is an empty list."""
    return [] if value is None or value == "" else value


def as_nothing(value: Any) -> Any:
    """A form sends an empty text where nothing is chosen."""
    return None if value == "" else value


def widget(name: str, **more: Any) -> dict[str, Any]:
    """Which control the form shows for a setting."""
    return {"widget": name, **more}


Text = Annotated[str, BeforeValidator(as_text)]
Line = Annotated[Text, Field(json_schema_extra=widget("text"))]
Paragraphs = Annotated[Text, Field(json_schema_extra=widget("multiline"))]
Anything = Annotated[Any, Field(json_schema_extra=widget("json"))]
Chosen = Annotated[
    UUID | None, BeforeValidator(as_nothing)
]  # of a list of rows; widget says of which
# A name for templates: `{{ vars.order_id }}` or `{{ order }}`.
VariableName = Annotated[
    str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,59})?$", json_schema_extra=widget("text"))
]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(f"“{name}” is not a time zone. Write it like Europe/Berlin") from None
    return name


TimeZone = Annotated[
    str,
    AfterValidator(_zone),
    Field(
        title="Time zone",
        description="Such as Europe/Berlin.",
        max_length=64,
        json_schema_extra=widget("time_zone"),
    ),
]


def _pattern(text: str) -> str:
    return patterns.check(text) if text and not templates.has_expression(text) else text


Pattern = Annotated[Text, AfterValidator(_pattern), Field(max_length=patterns.LONGEST_PATTERN)]


class Part(BaseModel):
    """A part of a node's settings."""

    model_config = ConfigDict(extra="forbid")


class Pair(Part):
    """A name and its value: a header, a parameter of an address, a variable."""

    name: Text = Field(title="Name", max_length=200, min_length=1)
    value: Text = Field(default="", title="Value", max_length=64_000)


class Unit(StrEnum):
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


def length_of(amount: float, unit: Unit) -> timedelta:
    return timedelta(**{unit.value: amount})


class ParameterType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    DATE = "date"


class ToolParameter(Part):
    """Something that a model fills in when it uses a node as a tool: `{{ tool.order_id }}`."""

    name: str = Field(title="Name", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")
    type: ParameterType = Field(default=ParameterType.TEXT, title="Type")
    description: str = Field(
        default="", title="What it is", description="The model reads this.", max_length=500
    )
    required: bool = Field(default=True, title="Always needed")


class ToolConfig(NodeConfig):
    """Settings of a kind that can also be an agent's tool."""

    tool_description: str = Field(
        default="",
        title="As a tool: what it is for",
        description="The agent reads this to decide when to use it. Only where it is an agent's tool.",
        max_length=1_000,
        json_schema_extra=widget("multiline", section="As a tool"),
    )
    tool_parameters: list[ToolParameter] = Field(
        default=[],
        title="As a tool: what the agent fills in",
        description="Use them in the settings above, such as {{ tool.order_id }}.",
        max_length=20,
        json_schema_extra=widget("rows", section="As a tool"),
    )


def saved_as(name: str, value: Any) -> dict[str, Any]:
    """`Outcome.names` for a value that is kept as `{{ vars.name }}`, or for none."""
    return {"vars": {name: value}} if name else {}


def needed(value: T | None, sentence: str) -> T:
    """The value. Raises NodeFailed with the sentence where there is none."""
    if value is None:
        raise NodeFailed(sentence)
    return value
