"""What the Gemini API takes, field by field: what Google would refuse is refused here as well.

After the reference of `v1beta` (generateContent, streamGenerateContent, countTokens, batchEmbedContents).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel


class _Strict(BaseModel):
    """Google's JSON takes a name as camelCase and as snake_case; its own library sends both."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$")]


class FunctionCall(_Strict):
    id: str = ""
    name: FunctionName
    args: dict[str, JsonValue] = {}


class FunctionResponse(_Strict):
    id: str = ""
    name: FunctionName
    response: dict[str, JsonValue]


class Part(_Strict):
    """Exactly one kind of content."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None

    @model_validator(mode="after")
    def _holds_one(self) -> "Part":
        held = (self.text, self.function_call, self.function_response)
        if sum(one is not None for one in held) != 1:
            raise ValueError("a part holds exactly one of text, functionCall, functionResponse")
        return self


class Content(_Strict):
    role: Literal["user", "model"] = "user"
    parts: list[Part] = Field(min_length=1)


class SystemInstruction(_Strict):
    role: str = "user"
    parts: list[Part] = Field(min_length=1)


class FunctionDeclaration(_Strict):
    name: FunctionName
    description: str = ""
    parameters: dict[str, JsonValue] | None = None
    parameters_json_schema: dict[str, JsonValue] | None = None

    @model_validator(mode="after")
    def _describes_an_object(self) -> "FunctionDeclaration":
        given = self.parameters_json_schema
        if given is not None and given.get("type") != "object":
            raise ValueError("the parameters of a function are a schema of type object")
        return self


class ToolDeclaration(_Strict):
    function_declarations: list[FunctionDeclaration] = []


class FunctionCallingConfig(_Strict):
    mode: Literal["AUTO", "ANY", "NONE"] = "AUTO"
    allowed_function_names: list[str] = []


class ToolConfig(_Strict):
    function_calling_config: FunctionCallingConfig = FunctionCallingConfig()


class ThinkingConfig(_Strict):
    include_thoughts: bool = False
    thinking_budget: int | None = None


class GenerationConfig(_Strict):
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    candidate_count: int = Field(default=1, ge=1, le=8)
    max_output_tokens: int | None = Field(default=None, ge=1, le=65_536)
    stop_sequences: list[str] = Field(default=[], max_length=5)
    seed: int | None = None
    response_mime_type: Literal["text/plain", "application/json", "text/x.enum"] = "text/plain"
    response_schema: dict[str, JsonValue] | None = None
    response_json_schema: dict[str, JsonValue] | None = None
    thinking_config: ThinkingConfig | None = None

    @property
    def schema_of_answer(self) -> dict[str, Any] | None:
        return self.response_json_schema or self.response_schema

    @model_validator(mode="after")
    def _schema_needs_json(self) -> "GenerationConfig":
        if self.schema_of_answer and self.response_mime_type != "application/json":
            raise ValueError("a response schema needs the response mime type application/json")
        return self


class GenerateRequest(_Strict):
    model: str = ""
    contents: list[Content] = Field(min_length=1)
    system_instruction: SystemInstruction | None = None
    tools: list[ToolDeclaration] = []
    tool_config: ToolConfig = ToolConfig()
    generation_config: GenerationConfig = GenerationConfig()

    @property
    def functions(self) -> list[FunctionDeclaration]:
        return [one for tool in self.tools for one in tool.function_declarations]

    @model_validator(mode="after")
    def _fits_together(self) -> "GenerateRequest":
        names = [one.name for one in self.functions]
        if len(set(names)) != len(names):
            raise ValueError("Duplicate function declaration found")
        if names and self.generation_config.response_mime_type == "application/json":
            raise ValueError(
                "Function calling with a response mime type: 'application/json' is unsupported"
            )
        _check_turns(self.contents)
        return self


def _check_turns(contents: list[Content]) -> None:
    """Calls are answered in the very next turn, each by one response (Gemini API, function calling)."""
    if contents[0].role != "user":
        raise ValueError("Please ensure that the first turn is a user turn")
    open_calls = 0
    for turn in contents:
        answered = sum(part.function_response is not None for part in turn.parts)
        if answered != open_calls:
            raise ValueError(
                "Please ensure that the number of function response parts is equal to the number of "
                "function call parts of the function call turn"
            )
        open_calls = sum(part.function_call is not None for part in turn.parts)


class EmbedRequest(_Strict):
    model: str
    content: Content
    task_type: Literal[
        "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION"
    ] = "SEMANTIC_SIMILARITY"
    title: str = ""
    output_dimensionality: int = Field(default=3072, ge=1, le=3072)


class BatchEmbedRequest(_Strict):
    requests: list[EmbedRequest] = Field(min_length=1, max_length=100)


class CountRequest(_Strict):
    contents: list[Content] = Field(min_length=1)
