"""Templates written, submitted, changed, deleted and synchronised, with the simulator in Meta's place."""

import json
from datetime import timedelta

import httpx
import pytest

from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, Unavailable
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.templates import queries, service
from aerostic.domain.templates.definition import Card, Category, Definition, Header, HeaderFormat
from aerostic.domain.templates.gaps import gaps
from aerostic.domain.templates.models import Template
from aerostic.domain.templates.queries import TemplateFilter
from aerostic.domain.templates.service import NotReady
from aerostic.integrations.meta import management
from aerostic.integrations.meta.template_refusals import TemplateRefused
from tests.builders import conversation_of
from tests.meta import phone
from tests.simulator.conftest import ACCOUNT

READY = Definition.model_validate(
    {
        "body": {
            "text": "Hi {{1}}, your order {{2}} is ready. Come by whenever you like.",
            "examples": {"1": "Ada", "2": "BB-7"},
        },
        "footer": {"text": "Bluebird Café"},
        "buttons": [{"kind": "QUICK_REPLY", "text": "On my way"}],
    }
)
BETTER = READY.model_copy(update={"footer": None})


def with_picture(house) -> Definition:
    header = Header(format=HeaderFormat.IMAGE, media_id=house.file())
    return READY.model_copy(update={"header": header, "category": Category.MARKETING}, deep=True)


def told(house, template_id) -> list[str]:
    with house.place.work("agent") as ctx:
        return [line.words for line in queries.detail(ctx, template_id).history]


# Writing


def test_a_draft_is_kept_here_and_meta_does_not_hear_of_it(house):
    template_id = house.draft(Definition())
    row = house.row(template_id)
    assert (row.status, row.components, row.meta_template_id) == ("DRAFT", [], "")
    assert house.at_meta() == []


def test_an_older_tab_does_not_overwrite_what_was_written_since(house):
    template_id = house.draft(READY)
    with house.place.work("admin") as ctx:
        assert service.write(ctx, template_id, BETTER, revision=0).revision == 1
    with house.place.work("admin") as ctx, pytest.raises(Conflict, match="Somebody else"):
        service.write(ctx, template_id, READY, revision=0)
    assert house.row(template_id).draft["footer"] is None


def test_a_name_is_taken_once_in_a_language(house):
    house.draft(READY)
    with pytest.raises(Conflict, match="There is a template “pick_up” in English"):
        house.draft(READY)
    assert house.draft(READY, language="de") != house.draft(READY, language="fr")


@pytest.mark.parametrize(
    ("name", "language", "field"), [("Bad", "en", "name"), ("a", "x", "language")]
)
def test_a_wrong_name_or_language_is_said_at_once(house, name, language, field):
    with pytest.raises(Invalid) as refused:
        house.draft(READY, name, language=language)
    assert refused.value.field == field


def test_an_agent_may_look_and_not_write(house, rival):
    template_id = house.draft(READY)
    with house.place.work("agent") as ctx, pytest.raises(NotAllowed):
        service.write(ctx, template_id, READY, revision=0)
    with rival.work("admin") as ctx, pytest.raises(NotFound):
        service.write(ctx, template_id, READY, revision=0)
    with rival.work("admin") as ctx, pytest.raises(NotFound):
        service.create(ctx, house.place.account_id, name="x", language="en", definition=READY)
    assert house.row(template_id).revision == 0


def test_another_workspaces_file_is_no_sample(house, rival):
    stolen = Header(format=HeaderFormat.IMAGE, media_id=house.file())
    with rival.work("admin") as ctx, pytest.raises(Invalid) as refused:
        definition = Definition(header=stolen)
        service.create(ctx, rival.account_id, name="x", language="en", definition=definition)
    assert refused.value.field == "header.media_id"


def test_a_sample_of_the_wrong_kind_is_refused(house):
    header = Header(format=HeaderFormat.VIDEO, media_id=house.file())
    with pytest.raises(Invalid, match="Meta takes MP4 here, not image/png"):
        house.draft(Definition(header=header))


# Submitting


def test_what_meta_would_refuse_never_reaches_it(house):
    template_id = house.draft(Definition(cards=[Card(), Card()]))
    with pytest.raises(NotReady) as refused:
        house.submit(template_id)
    assert ("body.text", "Write the text of the message.") in refused.value.fields()
    assert house.at_meta() == []


def test_a_template_with_a_picture_is_submitted_with_its_sample(house):
    template_id = house.submitted(with_picture(house))
    (there,) = house.at_meta()
    row = house.row(template_id)
    assert (row.status, row.draft, row.meta_template_id) == ("PENDING", None, there["id"])
    assert there["components"] == row.components
    handle = there["components"][0]["example"]["header_handle"][0]
    assert ":image/png:" in handle
    with house.place.work() as ctx:
        shown = queries.detail(ctx, template_id).definition.header
    assert (shown.media_id, shown.handle) == (row.files["header"], handle)


def test_a_broken_upload_goes_on_where_meta_says_it_stands(house, monkeypatch):
    content = b"%PDF-1.4\n" + b"x" * 5000
    media_id = house.file(content, "menu.pdf", "application/pdf")
    posts = []
    ask = management.Management._ask

    def breaks_once(self, method, path, parameters=None, **more):
        if more.get("content") is not None:
            posts.append(more["headers"]["file_offset"])
            if len(posts) == 1:  # half of it arrives, then the line is gone
                ask(self, method, path, parameters, **(more | {"content": more["content"][:1000]}))
                raise Unavailable("gone")
        return ask(self, method, path, parameters, **more)

    monkeypatch.setattr(management.Management, "_ask", breaks_once)
    header = Header(format=HeaderFormat.DOCUMENT, media_id=media_id)
    house.submitted(READY.model_copy(update={"header": header}))
    assert posts == ["0", "1000"]
    assert len(house.at_meta()) == 1


def test_a_lost_answer_is_found_out_by_submitting_again(house, monkeypatch):
    template_id = house.draft(READY)
    create = management.Management.create_template

    def loses_the_answer(self, *args):
        create(self, *args)
        raise Unavailable("Meta did not answer. Try again in a minute.")

    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(management.Management, "create_template", loses_the_answer)
        house.submit(template_id)
    assert house.row(template_id).status == "DRAFT"
    house.submit(template_id)
    row = house.row(template_id)
    assert (row.status, row.draft, row.meta_template_id) == (
        "PENDING", None, house.at_meta()[0]["id"],
    )  # fmt: skip


def test_a_name_that_meta_has_with_other_words_keeps_ours_as_an_edit(house):
    body = {"type": "BODY", "text": "Made in WhatsApp Manager."}
    made = {"name": "pick_up", "language": "en_US", "category": "UTILITY", "components": [body]}
    house.whatsapp.graph("POST", f"{ACCOUNT}/message_templates", json=made)
    template_id = house.submitted(READY)
    row = house.row(template_id)
    assert (row.components, row.status) == ([body], "PENDING")
    assert row.draft["body"]["text"] == READY.body.text


def test_metas_refusal_is_a_sentence_and_the_draft_stays(house):
    template_id = house.approved(READY)
    with house.place.work("admin") as ctx:
        service.delete(ctx, template_id, all_languages=True)
    other = house.draft(READY, language="de")
    with pytest.raises(TemplateRefused) as refused:
        house.submit(other)
    assert refused.value.place == "name"
    assert "Meta lets its name be used again 30 days after" in refused.value.message
    assert house.row(other).status == "DRAFT"


# Changing


@pytest.mark.parametrize("decision", ["reject", "pause"])
def test_a_rejected_or_paused_template_may_be_changed_and_goes_to_review(house, decision):
    template_id = house.approved(READY)
    house.decide(template_id, decision)
    with house.place.work("admin") as ctx:
        service.write(ctx, template_id, BETTER, revision=house.row(template_id).revision)
    house.submit(template_id)
    assert house.row(template_id).status == "PENDING"
    assert len(house.at_meta()[0]["components"]) == 2


@pytest.mark.parametrize("decision", ["disable", "appeal"])
def test_a_template_in_another_state_can_not_be_changed(house, decision):
    template_id = house.approved(READY)
    house.decide(template_id, decision)
    with (
        house.place.work("admin") as ctx,
        pytest.raises(Refused, match="a duplicate can be changed"),
    ):
        service.write(ctx, template_id, BETTER, revision=house.row(template_id).revision)
    assert house.row(template_id).draft is None


def test_an_approved_template_is_changed_once_a_day_and_keeps_its_category(house):
    template_id = house.approved(READY)

    def change(definition: Definition) -> None:
        with house.place.work("admin") as ctx:
            service.write(ctx, template_id, definition, revision=house.row(template_id).revision)
        house.submit(template_id)

    with pytest.raises(Invalid, match="category of an approved template"):
        change(BETTER.model_copy(update={"category": Category.MARKETING}))
    change(BETTER)
    house.decide(template_id, "approve")
    with pytest.raises(Refused, match="once in 24 hours"):
        change(READY)
    with house.place.system_work() as ctx:
        ctx.cursor().execute(
            "update template_events set created_at = created_at - interval '25 hours'"
        )
    with pytest.raises(TemplateRefused, match="once in 24 hours"):  # Meta's own clock has not moved
        change(READY)
    house.whatsapp.control("POST", "clock/advance", json={"seconds": 90_000})
    house.submit(template_id)
    assert len(house.at_meta()[0]["components"]) == 3


def test_a_duplicate_is_a_draft_of_its_own(house):
    original = house.approved(with_picture(house))
    with house.place.work("admin") as ctx:
        copy = service.duplicate(ctx, original, name="pick_up", language="de").id
    house.submit(copy)
    assert sorted(one["language"] for one in house.at_meta()) == ["de", "en_US"]
    with house.place.work("admin") as ctx:
        assert [one.id for one in queries.detail(ctx, copy).siblings] == [original]


# Deleting


def test_one_language_is_deleted_or_all(house):
    english, german, french = (house.approved(READY, language=one) for one in ("en", "de", "fr"))
    with house.place.work("admin") as ctx:
        assert service.delete(ctx, german) == 1
    assert sorted(one["language"] for one in house.at_meta()) == ["en", "fr"]
    with house.place.work("admin") as ctx:
        assert service.delete(ctx, english, all_languages=True) == 2
    assert house.at_meta() == []
    assert {house.row(one).status for one in (english, german, french)} == {"DELETED"}
    with pytest.raises(Invalid, match="Meta lets the name be used again on"):
        house.draft(READY, language="de")


def test_a_draft_is_deleted_without_a_trace_and_its_name_is_free(house):
    with house.place.work("admin") as ctx:
        service.delete(ctx, house.draft(READY))
    with house.place.work("admin") as ctx:
        assert queries.listed(ctx, TemplateFilter()).items == []
    house.draft(READY)


def test_deleting_what_meta_has_deleted_already_is_done(house):
    template_id = house.approved(READY)
    house.whatsapp.graph("DELETE", f"{ACCOUNT}/message_templates", params={"name": "pick_up"})
    with house.place.work("admin") as ctx:
        assert service.delete(ctx, template_id) == 1
    assert house.row(template_id).status == "DELETED"


# Keeping equal


def test_a_sync_reads_every_page_and_marks_what_is_gone(house, monkeypatch):
    kept, gone = house.approved(READY, "kept"), house.approved(READY, "gone")
    draft = house.draft(READY, "draft")
    house.whatsapp.graph("DELETE", f"{ACCOUNT}/message_templates", params={"name": "gone"})
    assert house.row(gone).status == "APPROVED"
    with house.place.system_work() as ctx:
        ctx.cursor().execute("update templates set submitted_at = now() - interval '1 hour'")
    pages = management.Management._pages
    monkeypatch.setattr(
        management.Management,
        "_pages",
        lambda self, path, **more: pages(self, path, **(more | {"limit": 2})),
    )
    assert house.sync() == 5  # the four of the first day, and ours
    statuses = [house.row(one).status for one in (kept, gone, draft)]
    assert statuses == ["APPROVED", "DELETED", "DRAFT"]


def test_what_was_submitted_a_moment_ago_is_not_missed(house):
    template_id = house.submitted(READY)
    house.whatsapp.graph("DELETE", f"{ACCOUNT}/message_templates", params={"name": "pick_up"})
    house.sync()
    assert house.row(template_id).status == "PENDING"


def broken(answers: list[httpx.Response]) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: answers.pop(0))


@pytest.mark.parametrize(
    "second",
    [
        httpx.Response(500, json={"error": {"code": 2, "message": "later"}}),
        httpx.Response(200, json={"error": "no list"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(400, json={"error": {"code": 190, "message": "token"}}),
    ],
)
def test_a_listing_that_breaks_off_changes_nothing(house, monkeypatch, second):
    template_id = house.approved(READY)
    onwards = "https://graph.facebook.com/v25.0/1/message_templates?after=x&access_token=secret"
    first = httpx.Response(200, json={"data": [], "paging": {"next": onwards}})
    client = httpx.Client
    monkeypatch.setattr(
        management.httpx,
        "Client",
        lambda **options: client(**options, transport=broken([first, second])),
    )
    with pytest.raises((Refused, Unavailable)):
        house.sync()
    monkeypatch.undo()
    assert house.row(template_id).status == "APPROVED"


def test_a_sync_tells_what_a_lost_webhook_would_have(house):
    template_id = house.approved(READY)
    meta_id = house.row(template_id).meta_template_id
    house.whatsapp.control(
        "POST", f"templates/{meta_id}/recategorise", json={"category": "MARKETING"}
    )
    house.decide(template_id, "pause")
    assert told(house, template_id)[:2] == [
        "Meta has paused it for now, because people blocked or reported it. It can not be sent.",
        "Meta has moved it from utility to marketing. From now on it is charged as that.",
    ]


# Looking


def test_languages_stand_together_under_their_name(house):
    for language in ("en", "de"):
        house.draft(READY, "a_name", language=language)
    house.draft(READY, "b_name")
    with house.place.work("agent") as ctx:
        page = queries.groups(ctx, TemplateFilter(), limit=1)
        assert [(one.name, [v.language for v in one.variants]) for one in page.items] == [
            ("a_name", ["de", "en"])
        ]
        rest = queries.groups(ctx, TemplateFilter(), after=page.next_cursor)
        assert [one.name for one in rest.items] == ["b_name"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (TemplateFilter(search="WHENEVER"), ["pick_up"]),
        (TemplateFilter(search="order ready"), ["pick_up"]),
        (TemplateFilter(search="100%"), []),
        (TemplateFilter(status="APPROVED"), ["pick_up"]),
        (TemplateFilter(status="DRAFT"), ["spring_sale"]),
        (TemplateFilter(category="MARKETING"), ["spring_sale"]),
        (TemplateFilter(language="fr"), []),
        (TemplateFilter(), ["pick_up", "spring_sale"]),
    ],
)
def test_templates_are_found(house, wanted, names):
    house.whatsapp.control("POST", "reset")
    template_id = house.draft(READY)
    with house.place.system_work() as ctx:
        row = ctx.get(Template, template_id)
        row.status = "APPROVED"
    sale = Definition.model_validate({"category": "MARKETING", "body": {"text": "Half the price."}})
    house.draft(sale, "spring_sale")
    with house.place.work("agent") as ctx:
        assert [one.name for one in queries.groups(ctx, wanted).items] == names
        assert [one.name for one in queries.listed(ctx, wanted).items] == names


def test_uses_are_counted_from_messages(house, rival):
    template_id = house.approved(READY)
    conversation_id = conversation_of(house.place, phone="4917000000001")
    for code in ("A1", "A2"):
        with house.place.work("agent") as ctx:
            inbox.reply(
                ctx, conversation_id, Draft.template(template_id, {"body.1": "Ada", "body.2": code})
            )
    with house.place.work("agent") as ctx:
        found = queries.detail(ctx, template_id)
        assert found.uses.recent == 2
        assert found.uses.last_at is not None
        assert ctx.now - found.uses.last_at < timedelta(minutes=1)
    with rival.work() as ctx:
        assert queries.uses(ctx, [template_id]) == {}


# Sending what was built


CAROUSEL = {
    "category": "MARKETING",
    "body": {"text": "Hello {{1}}, this is what we baked.", "examples": {"1": "Ada"}},
    "cards": [
        {
            "header": {"format": "IMAGE"},
            "body": {"text": "Only today: {{1}} for two.", "examples": {"1": "cake"}},
            "buttons": [
                {"kind": "QUICK_REPLY", "text": "Keep one"},
                {"kind": "URL", "text": "See it", "url": "https://example.com/{{1}}",
                 "example": "https://example.com/cake"},
            ],
        }
    ] * 2,
}  # fmt: skip
OFFER = {
    "category": "MARKETING",
    "body": {"text": "Two pastries for one until Sunday."},
    "offer": {"text": "Two for one"},
    "buttons": [
        {"kind": "COPY_CODE", "example": "SAVE20"},
        {"kind": "URL", "text": "Menu", "url": "https://example.com/menu"},
    ],
}


def sent(house, template_id, variables) -> dict:
    """The body that is waiting for Meta."""
    conversation_id = conversation_of(house.place, phone=phone())
    with house.place.work("agent") as ctx:
        message = inbox.reply(ctx, conversation_id, Draft.template(template_id, variables))
        rows = ctx.cursor().execute("select body from outbox where id = %s", (message.id,))
        return rows.fetchall()[0][0]["template"]


def test_a_carousel_is_filled_by_the_names_of_its_gaps(house):
    written = json.loads(json.dumps(CAROUSEL))
    media_id = house.file()
    for card in written["cards"]:
        card["header"]["media_id"] = media_id
    template_id = house.approved(Definition.model_validate(written))
    wanted = gaps(house.row(template_id))
    assert [gap.key for gap in wanted] == [
        "body.1",
        "card.0.media", "card.0.1", "card.0.button.1",
        "card.1.media", "card.1.1", "card.1.button.1",
    ]  # fmt: skip
    values = {gap.key: media_id if gap.is_file else gap.name for gap in wanted}
    first, second = sent(house, template_id, values)["components"][1]["cards"]
    assert (first["card_index"], second["card_index"]) == (0, 1)
    assert [part["type"] for part in first["components"]] == ["header", "body", "button"]
    assert first["components"][2] == {
        "type": "button",
        "sub_type": "url",
        "index": 1,
        "parameters": [{"type": "text", "text": "1"}],
    }
    with pytest.raises(Invalid, match="value for the link of its button"):
        sent(house, template_id, {k: v for k, v in values.items() if k != "card.1.button.1"})


def test_an_offer_counts_down_to_its_end(house):
    template_id = house.approved(Definition.model_validate(OFFER))
    assert [gap.key for gap in gaps(house.row(template_id))] == ["offer.expires_at", "button.0"]
    values = {"offer.expires_at": "2026-12-01T18:00:00+00:00", "button.0": "SAVE20"}
    parts = sent(house, template_id, values)["components"]
    assert parts[0]["parameters"][0]["limited_time_offer"] == {"expiration_time_ms": 1796148000000}
    with pytest.raises(Invalid, match="Write the end of the offer"):
        sent(house, template_id, values | {"offer.expires_at": "tomorrow"})


def test_a_code_needs_its_code(house):
    code = {"category": "AUTHENTICATION", "buttons": [{"kind": "OTP"}]}
    template_id = house.approved(Definition.model_validate(code))
    assert [gap.key for gap in gaps(house.row(template_id))] == ["body.1"]
    assert [
        part["type"] for part in sent(house, template_id, {"body.1": "123456"})["components"]
    ] == [
        "body",
        "button",
    ]


def test_what_happened_is_kept_beside_the_template(house, rival):
    template_id = house.approved(READY)
    assert told(house, template_id) == [
        "Meta has approved it: it can be sent.",
        "Submitted to Meta's review.",
        "Begun as a draft.",
    ]
    with rival.system_work() as ctx:
        rows = ctx.cursor().execute("select count(*) from template_events").fetchone()
        assert rows == (0,)
