"""Where a run goes on: conditions, switches, loops, splits, other workflows, the end."""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, field_validator

from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TOOL,
    Group,
    Instant,
    NodeConfig,
    NodeFailed,
    Outcome,
    Port,
    Step,
    SubRun,
)
from aerostic.domain.automation.nodes.comparing import Comparison, Condition, compare, holds
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Line,
    Part,
    Text,
    ToolConfig,
    VariableName,
    as_list,
    widget,
)

MOST_ITEMS = 1_000
ELSE = Port("else", "Else")


class Combine(StrEnum):
    ALL = "all"
    ANY = "any"


class If(Instant):
    kind = "logic.condition"
    title = "Condition"
    group = Group.LOGIC
    icon = "split"
    summary = "Goes one of two ways."
    outputs = (Port("true", "Yes"), Port("false", "No"))

    class Config(NodeConfig):
        combine: Combine = Field(
            default=Combine.ALL, title="How many must hold", description="All of them, or any one."
        )
        conditions: list[Condition] = Field(
            title="Conditions", min_length=1, max_length=50, json_schema_extra=widget("rows")
        )
        match_case: bool = Field(default=False, title="Capitals make a difference")

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        found = (holds(one, match_case=config.match_case) for one in config.conditions)
        is_so = all(found) if config.combine is Combine.ALL else any(found)
        return Outcome("true" if is_so else "false", output=is_so)


def rows_of(config: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The rows of a setting as it stands in the graph, valid or not."""
    rows = config.get(name)
    if not isinstance(rows, list):
        return []
    return [row for row in rows if isinstance(row, Mapping)]


def ports_of(rows: Sequence[Mapping[str, Any]], prefix: str) -> tuple[Port, ...]:
    """A port for each row, named by its id so that it stays connected when rows change places."""
    ports: dict[str, Port] = {}
    for place, row in enumerate(rows[:50], start=1):
        name = port_name(str(row.get("id") or ""), prefix, place)
        title = str(row.get("title") or row.get("to") or f"{prefix.capitalize()} {place}")
        ports.setdefault(name, Port(name, title[:60]))
    return tuple(ports.values())


def port_name(row_id: str, prefix: str, place: int) -> str:
    return row_id[:64] if row_id else f"{prefix}_{place}"


# Ids of rows become names of ports, so they must not be those of other ports.
RowId = Annotated[
    str,
    Field(
        title="Id",
        description="Keeps its connection when rows change places.",
        pattern=r"^[A-Za-z0-9_-]{0,60}$",
        json_schema_extra=widget("row_id"),
    ),
]


class Case(Part):
    id: RowId = ""
    title: str = Field(default="", title="Name", max_length=60)
    compare: Comparison = Field(default=Comparison.EQUALS, title="Is")
    to: Anything = Field(default="", title="Compared with")


class Switch(Instant):
    kind = "logic.switch"
    title = "Switch"
    group = Group.LOGIC
    icon = "list-tree"
    summary = "Goes the way of the first case that fits, else the last."
    outputs = (ELSE,)

    class Config(NodeConfig):
        value: Anything = Field(
            default="", title="Value", description="Such as {{ message.choice_id }}."
        )
        cases: list[Case] = Field(
            title="Cases", min_length=1, max_length=30, json_schema_extra=widget("rows")
        )
        match_case: bool = Field(default=False, title="Capitals make a difference")

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[Port, ...]:
        return (*ports_of(rows_of(config, "cases"), "case"), ELSE)

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        for place, case in enumerate(config.cases, start=1):
            if compare(config.value, case.compare, case.to, match_case=config.match_case):
                port = port_name(case.id, "case", place)
                return Outcome(port, output={"case": case.title or port, "value": config.value})
        return Outcome("else", output={"case": None, "value": config.value})


class Assignment(Part):
    name: VariableName = Field(title="Name", min_length=1)
    value: Anything = Field(
        default="",
        title="Value",
        description="A text, a number, a list, an object, or an expression such as {{ message.text }}.",
    )


class SetValues(Instant):
    kind = "logic.set"
    title = "Set values"
    group = Group.LOGIC
    icon = "variable"
    summary = "Keeps values under names of your choice, for later steps: {{ vars.name }}."

    class Config(NodeConfig):
        values: list[Assignment] = Field(
            title="Values", min_length=1, max_length=50, json_schema_extra=widget("rows")
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        values = {one.name: one.value for one in config.values}
        return Outcome(output=values, names={"vars": values})


class Loop(Instant):
    kind = "logic.loop"
    title = "Loop over items"
    group = Group.LOGIC
    icon = "repeat"
    summary = "Takes the same steps for each item of a list: {{ item }} and {{ index }}."
    outputs = (Port("each", "For each"), Port("done", "When done"))

    class Config(NodeConfig):
        items: Annotated[Any, BeforeValidator(as_list)] = Field(
            title="Items",
            description=f"A list of at most {MOST_ITEMS:,}, such as {{{{ apiResponse.body.orders }}}}.",
            json_schema_extra=widget("json"),
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        if not isinstance(config.items, list):
            raise NodeFailed("What this loop goes through is not a list.")
        if len(config.items) > MOST_ITEMS:
            raise NodeFailed(
                f"This list has {len(config.items):,} items; a loop goes through {MOST_ITEMS:,}."
            )
        return Outcome("each", output={"count": len(config.items)}, each=config.items)


class SubWorkflow(Instant):
    kind = "logic.subworkflow"
    title = "Run a workflow"
    group = Group.LOGIC
    icon = "workflow"
    summary = "Runs another workflow and waits for its end. What that one ends with is the output."
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        workflow: UUID = Field(
            title="Workflow",
            description="It begins with its trigger “Called by a workflow”.",
            json_schema_extra=widget("workflow"),
        )
        given: list[Assignment] = Field(
            default=[],
            title="What it is given",
            description="There, {{ input.name }}.",
            max_length=50,
            json_schema_extra=widget("rows"),
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        given = {one.name: one.value for one in config.given}
        return Outcome(call_workflow=SubRun(config.workflow, given))


class Stop(Instant):
    kind = "logic.stop"
    title = "Stop"
    group = Group.LOGIC
    icon = "octagon-x"
    summary = "Ends the run here."
    outputs = ()

    class Config(NodeConfig):
        as_failure: bool = Field(
            default=False, title="As a failure", description="The run counts as failed."
        )
        reason: Line = Field(
            default="", title="Reason", description="Shown in the list of runs.", max_length=500
        )
        result: Anything = Field(
            default=None,
            title="Result",
            description="What a workflow that called this one gets.",
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        if config.as_failure:
            raise NodeFailed(config.reason or "A Stop step ended this run as a failure.")
        return Outcome(output=config.result, ends=True, reason=config.reason)


class Variant(Part):
    id: RowId = ""
    title: Text = Field(default="", title="Name", max_length=60)
    share: int = Field(
        default=50, title="Share", description="Beside those of the others.", ge=0, le=1_000
    )


class Split(Instant):
    kind = "logic.split"
    title = "Split test"
    group = Group.LOGIC
    icon = "git-fork"
    summary = "Sends each contact one of several ways, always the same one."
    outputs = (Port("variant_1", "A"), Port("variant_2", "B"))

    class Config(NodeConfig):
        variants: list[Variant] = Field(
            default=[Variant(id="variant_1", title="A"), Variant(id="variant_2", title="B")],
            title="Ways",
            min_length=2,
            max_length=10,
            json_schema_extra=widget("rows"),
        )
        name: str = Field(
            default="",
            title="Name of the test",
            description="Two splits of the same name send a contact the same way.",
            max_length=100,
        )

        @field_validator("variants")
        @classmethod
        def _some_share(cls, variants: list[Variant]) -> list[Variant]:
            if not sum(one.share for one in variants):
                raise ValueError("One of the ways needs a share")
            return variants

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[Port, ...]:
        return ports_of(rows_of(config, "variants"), "variant") or cls.outputs

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        whose = step.contact_id or step.conversation_id or step.execution_id
        name = config.name or f"{step.workflow_id}:{step.node.id}"
        place = _drawn(f"{name}:{whose}", [one.share for one in config.variants])
        port = port_name(config.variants[place].id, "variant", place + 1)
        return Outcome(port, output={"variant": config.variants[place].title or port})


def _drawn(key: str, shares: Sequence[int]) -> int:
    """A place in proportion to its share: the same for the same key, on every machine."""
    digest = hashlib.sha256(key.encode()).digest()
    point = int.from_bytes(digest[:8]) % sum(shares)
    for place, share in enumerate(shares):
        if point < share:
            return place
        point -= share
    return len(shares) - 1
