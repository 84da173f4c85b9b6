"""What Meta tells about templates: taken over once, kept, shown, and mailed where it hurts."""

from collections.abc import Iterator

import pytest

from aerostic.domain.templates import queries
from aerostic.domain.templates.models import Template
from tests.mailbox import mails_to, text_of
from tests.meta import Meta, account_change, delivery

NAMED = {
    "message_template_id": 900,
    "message_template_name": "welcome",
    "message_template_language": "en",
}


@pytest.fixture
def meta() -> Iterator[Meta]:
    posting = Meta()
    yield posting
    posting.close()


@pytest.fixture
def template_id(place):
    with place.system_work() as ctx:
        made = Template(
            account_id=place.account_id,
            meta_template_id="900",
            name="welcome",
            language="en",
            category="UTILITY",
            status="APPROVED",
            told_status="APPROVED",
            components=[{"type": "BODY", "text": "Hello"}],
        )
        ctx.session.add(made)
        return made.id


@pytest.fixture
def tells(place, meta, run_jobs):
    def tell(field: str, **value) -> None:
        meta.deliver(delivery(place, account_change(field, NAMED | value)))
        run_jobs()

    return tell


def history(place, template_id) -> list[tuple[str, bool]]:
    with place.work("agent") as ctx:
        return [(line.words, line.is_harm) for line in queries.detail(ctx, template_id).history]


STATUS = "message_template_status_update"
PAUSED = {"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}}


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        (PAUSED, "PAUSED",
         "Meta has paused it for 3 hours, because people blocked or reported it. It can not be sent."),
        ({"event": "REJECTED", "reason": "PROMOTIONAL",
          "rejection_info": {"recommendation": "Leave out the offer."}}, "REJECTED",
         "Meta has rejected it. It reads like marketing, but was submitted as something else. "
         "Choose Marketing. Leave out the offer."),
        ({"event": "DISABLED", "reason": "NONE"}, "DISABLED",
         "Meta has disabled it for good, because many people blocked or reported it. "
         "Make another template."),
    ],
)  # fmt: skip
def test_harm_is_told_to_the_owners_once(place, rival, template_id, tells, value, status, words):
    tells(STATUS, **value)
    tells(STATUS, **value)  # Meta repeats itself
    assert history(place, template_id) == [(words, True)]
    with place.work() as ctx:
        assert queries.template(ctx, template_id).status == status
    (mail,) = mails_to(place.emails["owner"])
    assert mail["Subject"].startswith("Template welcome (en): Meta has ")
    assert words in " ".join(text_of(mail).split())
    assert mails_to(place.emails["admin"]) == mails_to(rival.emails["owner"]) == []


def test_a_pause_that_sending_noticed_first_is_told_all_the_same(place, template_id, tells):
    with place.system_work() as ctx:
        ctx.cursor().execute("update templates set status = 'PAUSED'")
    tells(STATUS, **PAUSED)
    assert len(mails_to(place.emails["owner"])) == 1


def test_good_news_is_kept_and_not_mailed(place, template_id, tells):
    tells(STATUS, **PAUSED)
    tells(STATUS, event="REINSTATED", reason="NONE")
    tells("message_template_quality_update", new_quality_score="GREEN")
    assert history(place, template_id)[:2] == [
        ("Its quality is high.", False),
        ("Meta has approved it: it can be sent.", False),
    ]
    assert len(mails_to(place.emails["owner"])) == 1


def test_a_category_is_announced_and_then_moved(place, template_id, tells):
    for _ in range(2):
        tells("template_category_update", correct_category="MARKETING")
    with place.work() as ctx:
        assert queries.template(ctx, template_id).category == "UTILITY"
    for _ in range(2):
        tells("template_category_update", new_category="MARKETING", previous_category="UTILITY")
    assert history(place, template_id) == [
        ("Meta has moved it from utility to marketing. From now on it is charged as that.", True),
        ("Meta will move it to marketing in the next days; its price changes with it.", True),
    ]
    assert len(mails_to(place.emails["owner"])) == 2


def test_a_warning_changes_nothing_but_what_is_said(place, template_id, tells):
    for _ in range(2):
        tells(STATUS, event="FLAGGED", reason="NONE")
    with place.work() as ctx:
        assert queries.template(ctx, template_id).status == "APPROVED"
    assert len(history(place, template_id)) == 1
    assert mails_to(place.emails["owner"]) == []
