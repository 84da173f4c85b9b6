"""Tools as an agent sees them: a name, what it is for, and the parameters that its author left open.

What the author fixed is not among the parameters, so a model can not name it. What it does name is checked
here before anything runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aerostic.integrations.gemini.client import Tool

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the model fills in."""

    name: str
    type: str = "string"
    description: str = ""
    is_required: bool = True
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": self.type}
        if self.description:
            schema["description"] = self.description
        if self.choices:
            schema["enum"] = list(self.choices)
        return schema

    def problem_with(self, value: Any) -> str:
        """Why a value does not fit; nothing: it does."""
        kinds = TYPES[self.type]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return f"{self.name} must be a {self.type}"
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return f"{self.name} has at most {LONGEST_TEXT} characters"
        if self.choices and value not in self.choices:
            return f"{self.name} must be one of {', '.join(self.choices)}"
        return ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool that is offered to the model."""

    name: str
    description: str
    parameters: Sequence[Parameter] = field(default=())

    def tool(self) -> Tool:
        return Tool(
            self.name,
            self.description,
            {
                "type": "object",
                "properties": {one.name: one.schema() for one in self.parameters},
                "required": [one.name for one in self.parameters if one.is_required],
            },
        )

    def problem_with(self, arguments: Mapping[str, Any]) -> str:
        """Why these arguments can not be taken, for the model to read; nothing: they can."""
        known = {one.name: one for one in self.parameters}
        if unknown := sorted(set(arguments) - set(known)):
            return f"{self.name} has no parameter {', '.join(unknown)}. It has: {', '.join(known) or 'none'}."
        missing = [name for name, one in known.items() if one.is_required and name not in arguments]
        if missing:
            return f"{self.name} needs {', '.join(missing)}."
        problems = [known[name].problem_with(value) for name, value in arguments.items()]
        return "; ".join(one for one in problems if one)


class ToolFailed(Exception):
    """A tool did not do what it should. The model is told the sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Toolbox(Protocol):
    """What an agent may use in this run, and nothing else."""

    @property
    def offers(self) -> Sequence[Offer]: ...

    async def use(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Use an offered tool with checked arguments. Raises ToolFailed."""
        ...


class NoTools:
    """For an agent without any."""

    offers: Sequence[Offer] = ()

    async def use(self, name: str, arguments: Mapping[str, Any]) -> Any:
        raise ToolFailed(f"There is no tool called {name}.")
