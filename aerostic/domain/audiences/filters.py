"""Who is meant: a typed tree of conditions, as it is stored, sent over HTTP and drawn on the screen.

Pure: what a condition means in SQL stands in `compiling.py`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aerostic.core.errors import Invalid

MOST_CONDITIONS = 60
DEEPEST = 6
MOST_DAYS = 3_650

Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AllOf(_Condition):
    """Every one of the conditions. None at all: everyone."""

    kind: Literal["all"] = "all"
    of: tuple["Filter", ...] = ()


class AnyOf(_Condition):
    """At least one of the conditions. None at all: nobody."""

    kind: Literal["any"] = "any"
    of: tuple["Filter", ...] = ()


class Not(_Condition):
    """Everyone else."""

    kind: Literal["not"] = "not"
    of: "Filter"


class HasTag(_Condition):
    kind: Literal["tag"] = "tag"
    tag_id: UUID


class OnList(_Condition):
    """On a list that was uploaded."""

    kind: Literal["list"] = "list"
    list_id: UUID


class Test(StrEnum):
    """How the value of a field is looked at; which of them fit depends on the field's type."""

    IS = "is"  # one of the values; text without regard to capitals
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_KNOWN = "is_known"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BEFORE = "before"
    AFTER = "after"
    IN_LAST_DAYS = "in_last_days"
    IN_NEXT_DAYS = "in_next_days"
    ANNIVERSARY_IN_DAYS = "anniversary_in_days"  # a birthday within so many days; 0: today


class Attribute(_Condition):
    """A field that the workspace keeps about its contacts."""

    kind: Literal["attribute"] = "attribute"
    key: str = Field(max_length=60)
    test: Test
    values: tuple[str | int | float | bool, ...] = Field(
        (), max_length=100, description="What it is compared with; none for `is_known`."
    )


class Moment(StrEnum):
    WROTE = "wrote"  # they wrote to us
    ACTIVE = "active"  # they or we wrote, or someone changed them
    ADDED = "added"  # they became a contact


class Activity(_Condition):
    """Something happened within the last days. Its opposite holds also for whom it never happened."""

    kind: Literal["activity"] = "activity"
    moment: Moment
    days: Days = 30


class ConsentState(StrEnum):
    AGREED = "agreed"  # said yes
    STOPPED = "stopped"  # said no
    UNSAID = "unsaid"  # said neither


class Consent(_Condition):
    kind: Literal["consent"] = "consent"
    state: ConsentState


class Country(_Condition):
    kind: Literal["country"] = "country"
    codes: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(max_length=250)


class Language(_Condition):
    """`pt` means every Portuguese, `pt_BR` only the Brazilian."""

    kind: Literal["language"] = "language"
    codes: tuple[Annotated[str, Field(pattern="^[a-z]{2,3}(_[A-Z0-9a-z]{2,4})?$")], ...] = Field(
        max_length=100
    )


class Result(StrEnum):
    """What became of a campaign for someone."""

    RECEIVED = "received"  # WhatsApp took it, whatever came after
    READ = "read"
    NOT_READ = "not_read"  # received, and not read so far
    REPLIED = "replied"
    FAILED = "failed"


class CampaignResult(_Condition):
    """An earlier campaign had this result for them."""

    kind: Literal["campaign"] = "campaign"
    campaign_id: UUID
    result: Result


Filter = Annotated[
    AllOf
    | AnyOf
    | Not
    | HasTag
    | OnList
    | Attribute
    | Activity
    | Consent
    | Country
    | Language
    | CampaignResult,
    Field(discriminator="kind"),
]
_FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)

EVERYONE = AllOf()


class Audience(_Condition):
    """Whom a campaign is for. Every part that is given narrows; none at all means every contact.

    With a list, each person brings the cells of their row.
    """

    segment_id: UUID | None = None
    list_id: UUID | None = None
    filter: Filter | None = None


def read(stored: object) -> Filter:
    """The tree out of JSON. Raises Invalid with what is wrong where."""
    try:
        tree = _FILTER.validate_python(stored)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "filter"
        raise Invalid("filter", f"{place}: {first['msg']}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    return check_size(tree)


def check_size(tree: Filter) -> Filter:
    """The same tree. Raises Invalid where it is too deep or has too many conditions."""
    if max(depth for depth, _ in walk(tree)) > DEEPEST:
        raise _too_deep()
    count = sum(1 for _ in walk(tree))
    if count > MOST_CONDITIONS:
        raise Invalid("filter", f"The filter has {count} parts; at most {MOST_CONDITIONS} fit.")
    return tree


def walk(tree: Filter, depth: int = 1) -> Iterator[tuple[int, Filter]]:
    """Every part of the tree with its depth, from the root on."""
    yield depth, tree
    for part in _parts(tree):
        yield from walk(part, depth + 1)


def _parts(tree: Filter) -> tuple[Filter, ...]:
    match tree:
        case AllOf() | AnyOf():
            return tree.of
        case Not():
            return (tree.of,)
        case _:
            return ()


def _too_deep() -> Invalid:
    return Invalid("filter", f"The groups lie more than {DEEPEST} deep in each other.")
