"""A filter as people say it: “with the tag VIP and wrote within the last 30 days”."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from babel import Locale
from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.audiences.filters import (
    Activity,
    AllOf,
    AnyOf,
    Attribute,
    CampaignResult,
    Consent,
    ConsentState,
    Country,
    Filter,
    HasTag,
    Language,
    Moment,
    Not,
    OnList,
    Result,
    Test,
)
from aerostic.domain.audiences.models import ContactList
from aerostic.domain.contacts.access import attributes_by_key
from aerostic.domain.contacts.models import Tag

_MOMENTS = {
    Moment.WROTE: "wrote to you",
    Moment.ACTIVE: "were active",
    Moment.ADDED: "became a contact",
}
_CONSENT = {
    ConsentState.AGREED: "agreed to marketing",
    ConsentState.STOPPED: "said no to marketing",
    ConsentState.UNSAID: "have said nothing about marketing",
}
_RESULTS = {
    Result.RECEIVED: "received an earlier campaign",
    Result.READ: "read an earlier campaign",
    Result.NOT_READ: "did not read an earlier campaign",
    Result.REPLIED: "answered an earlier campaign",
    Result.FAILED: "could not be reached by an earlier campaign",
}
_TESTS: dict[Test, Callable[[str, str], str]] = {
    Test.IS: lambda label, value: f"{label} is {value}",
    Test.CONTAINS: lambda label, value: f"{label} contains {value}",
    Test.STARTS_WITH: lambda label, value: f"{label} starts with {value}",
    Test.IS_KNOWN: lambda label, _: f"{label} is known",
    Test.AT_LEAST: lambda label, value: f"{label} is {value} or more",
    Test.AT_MOST: lambda label, value: f"{label} is {value} or less",
    Test.BEFORE: lambda label, value: f"{label} is before {value}",
    Test.AFTER: lambda label, value: f"{label} is after {value}",
    Test.IN_LAST_DAYS: lambda label, value: f"{label} was in the last {value} days",
    Test.IN_NEXT_DAYS: lambda label, value: f"{label} is in the next {value} days",
    Test.ANNIVERSARY_IN_DAYS: lambda label, value: (
        f"the anniversary of {label} is today"
        if value == "0"
        else f"the anniversary of {label} is within {value} days"
    ),
}


@dataclass(frozen=True)
class Names:
    """What the ids in a filter are called; what is missing is said so."""

    tags: Mapping[UUID, str] = field(default_factory=dict)
    lists: Mapping[UUID, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


def names(ctx: Context) -> Names:
    """The names of everything that a filter of the workspace can be about."""
    tags = ctx.session.exec(select(col(Tag.id), col(Tag.name)))
    lists = ctx.session.exec(select(col(ContactList.id), col(ContactList.name)))
    labels = {key: one.label for key, one in attributes_by_key(ctx).items()}
    return Names(dict(tags.all()), dict(lists.all()), labels)


def sentence(tree: Filter, known: Names) -> str:
    """The whole filter, beginning with a capital."""
    if tree == AllOf():
        return "Everyone"
    told = _told(tree, known)
    return told[:1].upper() + told[1:]


def _told(tree: Filter, known: Names) -> str:
    match tree:
        case AllOf():
            return _joined([_part(one, known) for one in tree.of], "and") or "everyone"
        case AnyOf():
            return _joined([_part(one, known) for one in tree.of], "or") or "nobody"
        case Not():
            return f"not: {_part(tree.of, known)}"
        case _:
            return _leaf(tree, known)


def _leaf(tree: Filter, known: Names) -> str:
    match tree:
        case HasTag():
            return f"have the tag {known.tags.get(tree.tag_id, 'that was deleted')}"
        case OnList():
            return f"are on the list {known.lists.get(tree.list_id, 'that was deleted')}"
        case Attribute():
            label = known.attributes.get(tree.key, f"{tree.key} (deleted)")
            return _TESTS[tree.test](label, _joined([_shown(one) for one in tree.values], "or"))
        case Activity():
            return f"{_MOMENTS[tree.moment]} in the last {tree.days} days"
        case Consent():
            return _CONSENT[tree.state]
        case Country():
            return f"live in {_joined([_country(code) for code in tree.codes], 'or')}"
        case Language():
            return f"speak {_joined([_language(code) for code in tree.codes], 'or')}"
        case CampaignResult():
            return _RESULTS[tree.result]
        case _:
            return ""


def _part(tree: Filter, known: Names) -> str:
    told = _told(tree, known)
    is_group = isinstance(tree, AllOf | AnyOf) and len(tree.of) > 1
    return f"({told})" if is_group else told


def _joined(parts: Sequence[str], word: str) -> str:
    return f" {word} ".join(parts)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) and not value[:1].isdigit() else str(value)


def _country(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


def _language(code: str) -> str:
    bare, _, region = code.partition("_")
    name = str(Locale("en").languages.get(bare, bare))
    return f"{name} ({region})" if region else name
