"""Workflows are drawn in a browser, published, and run: from a phone and by other programs."""

import json
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from aerostic.domain.automation import queries, service
from aerostic.domain.automation.graph import Graph, PlacedNode
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from tests.browser.conftest import OpenPage, Site
from tests.browser.drawing import Drawing, draw
from tests.browser.people import enter
from tests.browser.test_accessibility import _faults
from tests.conftest import Place
from tests.simulator.conftest import NUMBER
from tests.waiting import until


@pytest.fixture
def automated(cafe: Place) -> Place:
    """The café, with automation answering on its number."""
    with cafe.work() as ctx:
        number = ctx.session.exec(
            select(PhoneNumber).where(PhoneNumber.phone_number_id == NUMBER)
        ).one()
        channels.set_mode(ctx, number.id, NumberMode.AUTOMATION)
    return cafe


def heard(site: Site, name: str) -> list[str]:
    """What the business has said to someone, as their phone shows it."""
    path = f"people/{site.person(name)}/chats/{NUMBER}/messages"
    shown = site.whatsapp("GET", path).json()["messages"]
    said = [one["content"] for one in shown if one["direction"] == "outbound"]
    return [json.dumps(one, ensure_ascii=False) for one in said]


def hears(site: Site, name: str, text: str) -> None:
    until(lambda: any(text in one for one in heard(site, name)), what=f"“{text}”", seconds=60)


def post(site: Site, drawn: Drawing, body: Any) -> httpx.Response:
    return httpx.post(f"{site.url}/automation/webhooks/{drawn.id}", json=body, timeout=60)


# Eight workflows --------------------------------------------------------------------------------------


def test_a_keyword_is_answered_with_the_name_of_the_contact(
    page: Page, site: Site, automated: Place
) -> None:
    drawn = draw(page, site, automated, "Greeting")
    drawn.add("Keyword")
    drawn.word("Words", "hello")
    drawn.add("Send text")
    text = drawn.settings.get_by_label("Text", exact=True)
    text.press_sequentially("Welcome, {{ contact.na")
    page.get_by_role("option", name="contact.name").click()
    expect(text).to_have_value("Welcome, {{ contact.name }}")
    expect(drawn.lines).to_have_count(1)
    drawn.publish()

    site.says("Mei Tanaka", "Hello there")
    hears(site, "Mei Tanaka", "Welcome, Mei Tanaka")
    drawn.runs().first.click()
    steps = page.get_by_role("list", name="Steps of the run")
    expect(steps.get_by_role("listitem")).to_have_count(2)
    expect(drawn.step("Send text").get_by_role("img", name="Done")).to_be_visible()


def test_a_question_waits_for_its_answer(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Booking")
    drawn.add("Keyword")
    drawn.word("Words", "table")
    drawn.add("Ask for a text")
    drawn.fill("Question", "For which name?")
    drawn.fill("Keep the answer as", "guest")
    drawn.add("Send text")
    drawn.fill("Text", "A table for {{ vars.guest }}.")
    drawn.publish()

    site.says("Jonas Weber", "A table, please")
    hears(site, "Jonas Weber", "For which name?")
    site.says("Jonas Weber", "Weber")
    hears(site, "Jonas Weber", "A table for Weber.")


def test_each_choice_leads_its_own_way(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Menu")
    drawn.add("Keyword")
    drawn.word("Words", "menu")
    drawn.add("Ask to choose")
    drawn.fill("Question", "What may it be?")
    for title in ("Coffee", "Tea"):
        drawn.add_row("Choices").get_by_label("Title", exact=True).fill(title)
    expect(drawn.step("Ask to choose").get_by_label("Tea: output")).to_be_visible()
    for name in ("Coffee comes", "Tea comes"):
        drawn.choose_nothing()
        drawn.add("Send text", name)
        drawn.fill("Text", f"{name} at once.")
    drawn.tidy()
    drawn.connect("Ask to choose", "Coffee", "Coffee comes")
    drawn.connect("Ask to choose", "Tea", "Tea comes")
    drawn.publish()

    site.says("Priya Sharma", "menu")
    hears(site, "Priya Sharma", "What may it be?")
    site.says("Priya Sharma", "Tea")
    hears(site, "Priya Sharma", "Tea comes at once.")


def test_a_post_goes_one_of_two_ways(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Tiers")
    drawn.add("Webhook")
    drawn.add("Condition")
    row = drawn.add_row("Conditions")
    row.get_by_label("Value", exact=True).fill("{{ webhookPayload.body.total }}")
    row.get_by_label("Is", exact=True).select_option(label="Greater")
    row.get_by_label("Compared with", exact=True).fill("100")
    for name, tier in (("Gold", "gold"), ("Plain", "plain")):
        drawn.choose_nothing()
        drawn.add("Respond to webhook", name)
        drawn.fill("Content", f'{{"tier": "{tier}"}}')
    drawn.tidy()
    drawn.connect("Condition", "Yes", "Gold")
    drawn.connect("Condition", "No", "Plain")
    drawn.publish()

    assert post(site, drawn, {"total": 250}).json() == {"tier": "gold"}
    assert post(site, drawn, {"total": 20}).json() == {"tier": "plain"}
    expect(drawn.runs()).to_have_count(2)


def test_values_are_worked_out_and_answered(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Sums")
    drawn.add("Webhook")
    drawn.add("Set values")
    row = drawn.add_row("Values")
    row.get_by_label("Name", exact=True).fill("customer")
    row.get_by_label("Value", exact=True).fill("{{ webhookPayload.body.customer.name | upcase }}")
    drawn.add("Respond to webhook")
    drawn.fill("Status", "201")
    drawn.fill("Content", '{"hello": "{{ vars.customer }}"}')
    drawn.publish()

    answer = post(site, drawn, {"customer": {"name": "Ada"}})
    assert (answer.status_code, answer.json()) == (201, {"hello": "ADA"})


def test_a_person_is_asked_for(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "To a person")
    drawn.add("Keyword")
    drawn.word("Words", "human")
    drawn.add("Add a note")
    drawn.fill("Note", "{{ contact.name }} asks for a person.")
    drawn.add("Hand over to a person")
    drawn.publish()

    site.says("Diego Fernández", "A human, please")
    enter(page, site, automated.emails["owner"], f"/dashboard/{automated.tenant_id}/inbox")
    page.get_by_role("button", name="Diego Fernández").click()
    thread = page.get_by_role("log", name="Messages")
    expect(thread.get_by_text("Diego Fernández asks for a person.")).to_be_visible()
    answering = page.get_by_role("button", name=re.compile("Who answers"))
    expect(answering).to_contain_text("People")
    answering.click()
    page.get_by_role("menuitem", name=re.compile("Hand back")).click()
    expect(answering).to_contain_text("Automation")


def test_one_workflow_calls_another(page: Page, site: Site, automated: Place) -> None:
    inner = draw(page, site, automated, "Inner")
    inner.add("Called by a workflow")
    inner.add("Set values")
    row = inner.add_row("Values")
    row.get_by_label("Name", exact=True).fill("doubled")
    row.get_by_label("Value", exact=True).fill("{{ input.number | times: 2 }}")
    inner.publish()

    outer = draw(page, site, automated, "Outer")
    outer.add("Webhook")
    outer.add("Run a workflow")
    outer.choose("Workflow", "Inner")
    row = outer.add_row("What it is given")
    row.get_by_label("Name", exact=True).fill("number")
    row.get_by_label("Value", exact=True).fill("{{ webhookPayload.body.number }}")
    outer.add("Respond to webhook")
    content = outer.settings.get_by_label("Content", exact=True)
    content.fill("")
    content.press_sequentially("{{ nodes")
    page.get_by_role("option", name=re.compile("nodes.subworkflow")).first.click()
    outer.publish()

    assert post(site, outer, {"number": 21}).status_code < 300
    run = outer.runs().first
    expect(run).to_contain_text("Done")
    run.click()
    outer.open("Respond to webhook")
    expect(outer.settings.get_by_text('"doubled": 42').first).to_be_visible()


def test_a_run_rests_and_goes_on_by_itself(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Later")
    drawn.add("Keyword")
    drawn.word("Words", "remind")
    drawn.add("Wait")
    drawn.fill("For", "1")
    drawn.settings.get_by_label("Unit", exact=True).select_option(label="Seconds")
    drawn.add("Send text")
    drawn.fill("Text", "Here is your reminder.")
    drawn.publish()

    site.says("Amara Okafor", "Remind me")
    hears(site, "Amara Okafor", "Here is your reminder.")


# The canvas -------------------------------------------------------------------------------------------


def test_a_refused_connection_says_why_while_it_is_drawn(
    page: Page, site: Site, place: Place
) -> None:
    drawn = draw(page, site, place, "Refusals")
    drawn.add("Message received")
    drawn.add("Send text")
    drawn.choose_nothing()
    drawn.add("Condition")
    drawn.tidy()
    drawn.begin_connection("Message received", "Then", "Condition")
    why = "“Then” of “Message received” leads somewhere already. Remove that connection first."
    expect(page.get_by_role("alert").filter(has_text=why)).to_be_visible()
    page.mouse.up()
    expect(drawn.lines).to_have_count(1)


def test_what_was_done_is_undone_redone_copied_and_pasted(
    page: Page, site: Site, place: Place
) -> None:
    drawn = draw(page, site, place, "Undo")
    drawn.add("Message received")
    drawn.add("Send text")
    drawn.fill("Text", "Hello")
    drawn.choose_nothing()
    cards = page.locator(".react-flow__node")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(cards).to_have_count(1)
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    expect(cards).to_have_count(2)
    expect(drawn.step("Send text")).to_contain_text("Hello")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+d")
    expect(cards).to_have_count(4)
    expect(drawn.lines).to_have_count(2)
    page.keyboard.press("Delete")
    expect(cards).to_have_count(2)


def test_a_save_on_an_old_revision_asks_what_shall_count(
    page: Page, site: Site, place: Place
) -> None:
    drawn = draw(page, site, place, "Two at once")
    drawn.add("Message received")
    drawn.save()
    _save_meanwhile(place, drawn)
    drawn.add("Send text")
    page.keyboard.press("Control+s")
    asked = page.get_by_role("alertdialog")
    expect(asked.get_by_text("Someone else saved this workflow")).to_be_visible()
    expect(page.get_by_text("Not saved")).to_be_visible()
    asked.get_by_role("button", name="Keep mine", exact=True).click()
    expect(page.get_by_text("Saved at")).to_be_visible()
    page.reload()
    expect(drawn.step("Send text")).to_be_visible()


def test_theirs_can_be_taken(page: Page, site: Site, place: Place) -> None:
    drawn = draw(page, site, place, "Two at once")
    drawn.add("Message received")
    drawn.save()
    _save_meanwhile(place, drawn)
    drawn.add("Send text")
    page.keyboard.press("Control+s")
    page.get_by_role("button", name="Take theirs").click()
    expect(drawn.step("Theirs")).to_be_visible()
    expect(drawn.step("Send text")).to_have_count(0)


def _save_meanwhile(place: Place, drawn: Drawing) -> None:
    theirs = Graph(nodes=[PlacedNode(id="theirs", kind="trigger.message", name="Theirs")])
    with place.work("admin") as ctx:
        detail = queries.workflow(ctx, UUID(drawn.id))
        service.save_draft(ctx, UUID(drawn.id), theirs, detail.revision)


def test_what_was_drawn_is_saved_on_leaving(page: Page, site: Site, place: Place) -> None:
    drawn = draw(page, site, place, "Leaving")
    here = page.url
    drawn.add("Message received")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.get_by_role("link", name="All workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()
    page.goto(here)
    expect(drawn.step("Message received")).to_be_visible()
    expect(page.get_by_text("Saved at")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_workflow_with_a_problem_is_not_published_and_its_line_leads_there(
    page: Page, site: Site, place: Place
) -> None:
    drawn = draw(page, site, place, "Problems")
    drawn.add("Keyword")
    drawn.choose_nothing()
    page.get_by_role("button", name="Publish", exact=True).click()
    asked = page.get_by_role("dialog")
    expect(asked.get_by_role("button", name="Publish")).to_be_disabled()
    asked.get_by_role("button", name=re.compile("Words")).click()
    expect(drawn.settings.get_by_text("“Words” is missing.")).to_be_visible()


def test_versions_are_compared_and_restored(page: Page, site: Site, place: Place) -> None:
    drawn = draw(page, site, place, "Versions")
    drawn.add("Message received")
    drawn.add("Send text")
    drawn.fill("Text", "First")
    drawn.publish()
    drawn.fill("Text", "Second")
    drawn.save()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Compare with the draft").click()
    expect(page.get_by_text("Send text: Text")).to_be_visible()
    page.get_by_role("button", name="Restore as draft").click()
    expect(page.get_by_text("Version 1 is the draft now")).to_be_visible()
    expect(drawn.step("Send text")).to_contain_text("First")


def test_the_draft_is_tried_and_nothing_leaves(page: Page, site: Site, automated: Place) -> None:
    drawn = draw(page, site, automated, "Trying")
    drawn.add("Message received")
    drawn.add("Send text")
    drawn.fill("Text", "You wrote: {{ message.text }}")
    page.get_by_role("button", name="Test", exact=True).click()
    panel = page.get_by_role("complementary", name="Test")
    panel.get_by_label("With this data").fill('{"message": {"text": "Anyone there?"}}')
    panel.get_by_role("button", name="Run the draft").click()
    steps = panel.get_by_role("list", name="Steps of the test")
    expect(steps.get_by_role("listitem")).to_have_count(2)
    expect(drawn.step("Send text").get_by_role("img", name="Recorded, not done")).to_be_visible()
    drawn.open("Send text")
    drawn.settings.get_by_role("tab", name="In this run").click()
    expect(drawn.settings.get_by_text("You wrote: Anyone there?").first).to_be_visible()


def test_on_a_telephone_it_is_read_and_switched(
    page: Page, site: Site, place: Place, open_page: OpenPage
) -> None:
    drawn = draw(page, site, place, "On the way")
    drawn.add("Message received")
    drawn.add("Send text")
    drawn.fill("Text", "Hello")
    drawn.publish()
    phone = open_page(width=390)
    enter(phone, site, place.emails["owner"], page.url.removeprefix(site.url))
    steps = phone.get_by_role("list", name="The steps of the workflow")
    expect(steps).to_contain_text("2. Send text")
    phone.get_by_role("switch", name="Runs begin").click()
    expect(page.get_by_role("switch", name="Runs begin")).not_to_be_checked()


def test_the_pages_of_automation_have_no_serious_fault(
    page: Page, site: Site, place: Place
) -> None:
    drawn = draw(page, site, place, "Faultless")
    drawn.add("Message received")
    drawn.add("Ask to choose")
    drawn.save()
    here = page.url
    paths = [here, f"{here}?tab=runs", f"{here}?tab=versions", here.rpartition("/")[0]]
    assert [fault for path in paths for fault in _faults(page, path)] == []
