"""A segment as its form shows it: groups of lines, each one condition. To the typed tree and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aerostic.core.errors import Invalid
from aerostic.core.ids import new_id
from aerostic.domain.audiences import filters
from aerostic.domain.audiences.comparing import TESTS
from aerostic.domain.audiences.filters import (
    Activity,
    AllOf,
    AnyOf,
    Attribute,
    CampaignResult,
    Consent,
    Country,
    Filter,
    HasTag,
    Language,
    Moment,
    Not,
    OnList,
    Test,
)
from aerostic.domain.contacts.models import AttributeType
from aerostic.domain.imports import vocabulary
from aerostic.state.choices import Choice

NOT = "not_"
HAS = [Choice("has", "has"), Choice(f"{NOT}has", "does not have")]
ON = [Choice("on", "is on"), Choice(f"{NOT}on", "is not on")]
ONE_OF = [Choice("in", "is one of"), Choice(f"{NOT}in", "is none of")]
SAYS = [Choice("is", "is"), Choice(f"{NOT}is", "is not")]
WITHIN = [
    Choice("within", "in the last days"),
    Choice(f"{NOT}within", "not in the last days"),
]
CONSENT = [
    Choice("agreed", "agreed to marketing"),
    Choice("stopped", "said no to marketing"),
    Choice("unsaid", "said nothing yet"),
]
RESULTS = [
    Choice("received", "received it"),
    Choice("not_read", "received and did not read it"),
    Choice("read", "read it"),
    Choice("replied", "answered it"),
    Choice("failed", "could not be reached by it"),
]
TEST_WORDS = {
    Test.IS: "is",
    Test.CONTAINS: "contains",
    Test.STARTS_WITH: "starts with",
    Test.IS_KNOWN: "is known",
    Test.AT_LEAST: "is at least",
    Test.AT_MOST: "is at most",
    Test.BEFORE: "is before",
    Test.AFTER: "is after",
    Test.IN_LAST_DAYS: "was in the last days",
    Test.IN_NEXT_DAYS: "is in the next days",
    Test.ANNIVERSARY_IN_DAYS: "has its anniversary within days",
}
NEGATED = {
    Test.IS: "is not",
    Test.CONTAINS: "does not contain",
    Test.STARTS_WITH: "does not start with",
    Test.IS_KNOWN: "is not known",
    Test.AT_LEAST: "is not at least",
    Test.AT_MOST: "is not at most",
    Test.BEFORE: "is not before",
    Test.AFTER: "is not after",
    Test.IN_LAST_DAYS: "was not in the last days",
    Test.IN_NEXT_DAYS: "is not in the next days",
    Test.ANNIVERSARY_IN_DAYS: "has no anniversary within days",
}
YES_NO = [Choice("true", "yes"), Choice("false", "no")]
MOMENTS = {
    "wrote": "Last wrote to us",
    "active": "Was last active",
    "added": "Became a contact",
}
FIRST_VALUES = {"wrote": "30", "active": "30", "added": "30", "consent": "agreed"}


@dataclass(frozen=True)
class Line:
    """One condition. `control` says what asks for its value: choice, text, number, date or none."""

    id: str = ""
    subject: str = "tag"
    test: str = "has"
    value: str = ""
    tests: list[Choice] = field(default_factory=list)
    offers: list[Choice] = field(default_factory=list)
    control: str = "choice"
    extra: str = ""  # of a campaign: what became of it
    extras: list[Choice] = field(default_factory=list)
    hint: str = ""


@dataclass(frozen=True)
class Group:
    """Lines of which all, or any, must hold."""

    id: str
    match: str
    lines: list[Line]


@dataclass(frozen=True)
class Known:
    """What conditions can be about, as the workspace calls it."""

    tags: list[Choice] = field(default_factory=list)
    lists: list[Choice] = field(default_factory=list)
    campaigns: list[Choice] = field(default_factory=list)
    fields: dict[str, tuple[str, AttributeType, list[str]]] = field(default_factory=dict)

    @property
    def subjects(self) -> list[Choice]:
        """What a condition can begin with."""
        found = [
            Choice("tag", "Tag"),
            Choice("wrote", MOMENTS["wrote"]),
            Choice("active", MOMENTS["active"]),
            Choice("added", MOMENTS["added"]),
            Choice("consent", "Consent to marketing"),
            Choice("country", "Country"),
            Choice("language", "Language"),
            Choice("list", "List"),
            Choice("campaign", "Earlier campaign"),
        ]
        return [*found, *(Choice(f"field:{key}", one[0]) for key, one in self.fields.items())]


def new_line(known: Known, subject: str = "tag") -> Line:
    """A condition about something, with its first test and no value yet."""
    return dressed(Line(str(new_id()), subject, "", FIRST_VALUES.get(subject, "")), known)


def new_group(known: Known) -> Group:
    return Group(str(new_id()), "all", [new_line(known)])


def dressed(line: Line, known: Known) -> Line:
    """The line with what its selects offer; a test that does not fit is the first that does."""
    offered = _OFFERS.get(line.subject, _offers_field)(line, known)
    tests = [one.value for one in offered.tests]
    test = line.test if line.test in tests else (tests[0] if tests else "")
    line = replace(offered, test=test)
    if line.subject.startswith("field:"):
        line = _field_control(line, known)
    if line.control == "choice" and line.offers and not line.value:
        line = replace(line, value=line.offers[0].value)
    return line


def _field_control(line: Line, known: Known) -> Line:
    _, kind, choices = known.fields.get(_key(line), ("", AttributeType.TEXT, []))
    test = line.test.removeprefix(NOT)
    if test == Test.IS_KNOWN:
        return replace(line, control="none", value="", offers=[])
    if test in (Test.IN_LAST_DAYS, Test.IN_NEXT_DAYS, Test.ANNIVERSARY_IN_DAYS):
        return replace(line, control="number", offers=[], hint="days")
    if kind is AttributeType.CHOICE:
        return replace(line, control="choice", offers=[Choice(one, one) for one in choices])
    if kind is AttributeType.YES_NO:
        return replace(line, control="choice", offers=YES_NO)
    controls = {AttributeType.NUMBER: "number", AttributeType.DATE: "date"}
    hint = "one or more, with commas between" if kind is AttributeType.TEXT else ""
    return replace(line, control=controls.get(kind, "text"), offers=[], hint=hint)


def _offers_field(line: Line, known: Known) -> Line:
    _, kind, _ = known.fields.get(_key(line), ("", AttributeType.TEXT, []))
    plain = [Choice(str(test), TEST_WORDS[test]) for test in TESTS[kind]]
    negated = [Choice(f"{NOT}{test}", NEGATED[test]) for test in TESTS[kind]]
    return replace(line, tests=[*plain, *negated], extras=[], extra="")


def _key(line: Line) -> str:
    return line.subject.removeprefix("field:")


def _offer(tests: list[Choice], control: str, hint: str = "") -> Callable[[Line, Known], Line]:
    return lambda line, _: replace(
        line, tests=tests, control=control, offers=[], extras=[], hint=hint
    )


_OFFERS: dict[str, Callable[[Line, Known], Line]] = {
    "tag": lambda line, known: replace(
        line, tests=HAS, control="choice", offers=known.tags, extras=[], hint=""
    ),
    "list": lambda line, known: replace(
        line, tests=ON, control="choice", offers=known.lists, extras=[], hint=""
    ),
    "campaign": lambda line, known: replace(
        line,
        tests=[Choice("did", "they"), Choice(f"{NOT}did", "not: they")],
        control="choice",
        offers=known.campaigns,
        extras=RESULTS,
        extra=line.extra or "received",
        hint="",
    ),
    "consent": lambda line, _: replace(
        line, tests=SAYS, control="choice", offers=CONSENT, extras=[], hint=""
    ),
    "country": _offer(ONE_OF, "text", "like Germany, Brazil"),
    "language": _offer(ONE_OF, "text", "like Spanish, pt_BR"),
    "wrote": _offer(WITHIN, "number", "days"),
    "active": _offer(WITHIN, "number", "days"),
    "added": _offer(WITHIN, "number", "days"),
}


# To the tree ------------------------------------------------------------------------------------


def tree_of(match: str, groups: Sequence[Group], known: Known) -> Filter:
    """The typed filter. Raises Invalid for a line that says nothing yet."""
    parts = [_of_group(group, known) for group in groups if group.lines]
    if len(parts) == 1:
        return parts[0]
    return _joined(match, parts)


def _of_group(group: Group, known: Known) -> Filter:
    return _joined(group.match, [_of_line(line, known) for line in group.lines])


def _joined(match: str, parts: Sequence[Filter]) -> Filter:
    return AnyOf(of=tuple(parts)) if match == "any" else AllOf(of=tuple(parts))


def _of_line(line: Line, known: Known) -> Filter:
    if not line.value.strip() and line.control != "none":
        raise Invalid("filter", "Complete every condition, or take it out.")
    made = filters.read(_node(line, known))
    return Not(of=made) if line.test.startswith(NOT) else made


def _node(line: Line, known: Known) -> dict[str, object]:
    value = line.value.strip()
    match line.subject:
        case "tag":
            return {"kind": "tag", "tag_id": value}
        case "list":
            return {"kind": "list", "list_id": value}
        case "campaign":
            return {"kind": "campaign", "campaign_id": value, "result": line.extra}
        case "consent":
            return {"kind": "consent", "state": value}
        case "country":
            return {"kind": "country", "codes": [vocabulary.country(x) for x in _split(value)]}
        case "language":
            return {"kind": "language", "codes": [vocabulary.language(x) for x in _split(value)]}
        case "wrote" | "active" | "added":
            return {"kind": "activity", "moment": line.subject, "days": _days(value)}
        case _:
            return _field_node(line, known)


def _field_node(line: Line, known: Known) -> dict[str, object]:
    test = line.test.removeprefix(NOT)
    label, kind, _ = known.fields.get(_key(line), (_key(line), AttributeType.TEXT, []))
    return {
        "kind": "attribute",
        "key": _key(line),
        "test": test,
        "values": _values(line, kind, test, label),
    }


def _values(line: Line, kind: AttributeType, test: str, label: str) -> list[object]:
    value = line.value.strip()
    if test == Test.IS_KNOWN:
        return []
    if line.control == "number":
        try:
            return [float(value)]
        except ValueError as error:
            raise Invalid("filter", f"“{label}” needs a number.") from error
    if kind is AttributeType.YES_NO:
        return [value == "true"]
    return list(_split(value)) if kind is AttributeType.TEXT else [value]


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _days(value: str) -> int:
    try:
        return int(float(value))
    except ValueError as error:
        raise Invalid("filter", "Say how many days, as a number.") from error


# And back ---------------------------------------------------------------------------------------


def groups_of(tree: Filter, known: Known) -> tuple[str, list[Group]] | None:
    """How the form shows a tree; None for one that was made by a program and goes deeper than the form."""
    if not isinstance(tree, AllOf | AnyOf):
        tree = AllOf(of=(tree,))
    if all(_is_leaf(part) for part in tree.of):
        return "all", [_group(tree, known)]
    if all(isinstance(part, AllOf | AnyOf) and all(map(_is_leaf, part.of)) for part in tree.of):
        return tree.kind, [_group(part, known) for part in tree.of]
    return None


def _is_leaf(tree: Filter) -> bool:
    return not isinstance(tree.of if isinstance(tree, Not) else tree, AllOf | AnyOf | Not)


def _group(tree: Filter, known: Known) -> Group:
    assert isinstance(tree, AllOf | AnyOf)
    return Group(str(new_id()), tree.kind, [_line(part, known) for part in tree.of])


def _line(tree: Filter, known: Known) -> Line:
    is_not = isinstance(tree, Not)
    bare = tree.of if isinstance(tree, Not) else tree
    subject, test, value, extra = _told(bare)
    line = Line(str(new_id()), subject, f"{NOT}{test}" if is_not else test, value, extra=extra)
    return dressed(line, known)


def _told(tree: Filter) -> tuple[str, str, str, str]:
    """Subject, test, value, and of a campaign its result."""
    match tree:
        case HasTag():
            return "tag", "has", str(tree.tag_id), ""
        case OnList():
            return "list", "on", str(tree.list_id), ""
        case CampaignResult():
            return "campaign", "did", str(tree.campaign_id), str(tree.result)
        case Consent():
            return "consent", "is", str(tree.state), ""
        case Country():
            return "country", "in", ", ".join(tree.codes), ""
        case Language():
            return "language", "in", ", ".join(tree.codes), ""
        case Activity():
            return str(Moment(tree.moment)), "within", str(tree.days), ""
        case Attribute():
            shown = ", ".join(_shown(one) for one in tree.values)
            return f"field:{tree.key}", str(tree.test), shown, ""
        case _:
            raise Invalid("filter", "This condition is not one that the form knows.")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
