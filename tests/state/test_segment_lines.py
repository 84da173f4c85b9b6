"""What the form of a segment says becomes the typed filter, and is shown again as it was."""

import pytest

from aerostic.core.errors import Invalid
from aerostic.core.ids import new_id
from aerostic.domain.audiences import filters
from aerostic.domain.contacts.models import AttributeType
from aerostic.state import campaign_lines, segment_lines
from aerostic.state.campaign_lines import When
from aerostic.state.choices import Choice
from aerostic.state.segment_lines import Known

TAG = str(new_id())
KNOWN = Known(
    tags=[Choice(TAG, "VIP")],
    fields={
        "city": ("City", AttributeType.TEXT, []),
        "orders": ("Orders", AttributeType.NUMBER, []),
        "birthday": ("Birthday", AttributeType.DATE, []),
        "size": ("Size", AttributeType.CHOICE, ["S", "M"]),
        "newsletter": ("Newsletter", AttributeType.YES_NO, []),
    },
)


def attribute(key: str, test: str, *values: object) -> dict[str, object]:
    return {"kind": "attribute", "key": key, "test": test, "values": values}


@pytest.mark.parametrize(
    "condition",
    [
        {"kind": "tag", "tag_id": TAG},
        {"kind": "list", "list_id": TAG},
        {"kind": "campaign", "campaign_id": TAG, "result": "not_read"},
        {"kind": "consent", "state": "agreed"},
        {"kind": "country", "codes": ["DE", "BR"]},
        {"kind": "language", "codes": ["pt_BR", "es"]},
        {"kind": "activity", "moment": "wrote", "days": 30},
        attribute("city", "contains", "Berlin", "Rome"),
        attribute("orders", "at_least", 2.5),
        attribute("birthday", "anniversary_in_days", 7),
        attribute("birthday", "before", "2000-01-01"),
        attribute("birthday", "is_known"),
        attribute("size", "is", "M"),
        attribute("newsletter", "is", False),
    ],
)
@pytest.mark.parametrize("is_not", [False, True])
def test_every_condition_survives_the_form(condition, is_not):
    tree = filters.read({"kind": "not", "of": condition} if is_not else condition)
    match, groups = segment_lines.groups_of(tree, KNOWN)
    (group,) = groups
    (line,) = group.lines
    assert line.test.startswith("not_") is is_not
    assert line.test in [one.value for one in line.tests]
    again = segment_lines.tree_of(match, groups, KNOWN)
    assert again == filters.read({"kind": "all", "of": [tree.model_dump()]})


def test_groups_join_as_they_were_joined():
    vip, agreed = {"kind": "tag", "tag_id": TAG}, {"kind": "consent", "state": "agreed"}
    tree = filters.read(
        {"kind": "any", "of": [{"kind": "all", "of": [vip, agreed]}, {"kind": "any", "of": [vip]}]}
    )
    match, groups = segment_lines.groups_of(tree, KNOWN)
    assert (match, [group.match for group in groups]) == ("any", ["all", "any"])
    assert segment_lines.tree_of(match, groups, KNOWN) == tree


def test_what_goes_deeper_than_the_form_is_left_alone():
    deep = {"kind": "not", "of": {"kind": "any", "of": [{"kind": "consent", "state": "agreed"}]}}
    assert segment_lines.groups_of(filters.read({"kind": "all", "of": [deep]}), KNOWN) is None


def test_a_condition_that_says_nothing_is_named():
    group = segment_lines.new_group(Known())
    with pytest.raises(Invalid, match="Complete every condition"):
        segment_lines.tree_of("all", [group], Known())


def test_names_of_countries_are_understood():
    line = segment_lines.new_line(KNOWN, "country")
    group = segment_lines.Group("g", "all", [segment_lines.replace(line, value="Allemagne, br")])
    tree = segment_lines.tree_of("all", [group], KNOWN)
    assert tree.of == (filters.Country(codes=("DE", "BR")),)


@pytest.mark.parametrize(
    "when",
    [
        When(),
        When(kind="at", moment="2026-11-30T10:00"),
        When(kind="at", moment="2026-11-30T10:00", by_their_clock=True),
        When(is_quiet=True, quiet_from="22:30", quiet_until="07:00"),
        When(kind="repeat", every="day", at="09:05", cron="5 9 * * *"),
        When(kind="repeat", every="week", weekday="0", at="18:00", cron="0 18 * * 0"),
        When(kind="repeat", every="month", at="00:30", cron="30 0 1 * *"),
        When(kind="repeat", every="other", cron="*/5 8-18 * * 1-5"),
    ],
)
def test_times_are_shown_as_they_were_written(when):
    stored = campaign_lines.timing_of(when, "America/Sao_Paulo")
    assert campaign_lines.when_of(stored) == when


def test_a_time_without_its_day_is_refused():
    with pytest.raises(Invalid, match="Choose the day and the hour"):
        campaign_lines.timing_of(When(kind="at"), "UTC")
