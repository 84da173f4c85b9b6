"""Workflows are drawn in a browser, published, and run: from a phone and by other programs."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import col, select, text

from aerostic.domain.automation import executions, queries, service
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Execution
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from tests.browser.conftest import OpenPage, Site
from tests.browser.drawing import Drawing, draw, made, open_drawing
from tests.browser.people import enter
from tests.browser.test_accessibility import _faults
from tests.conftest import Place
from tests.domain.test_workflow_checking import template_of
from tests.simulator.conftest import NUMBER
from tests.waiting import until
from tests.workflows import edge, graph, greeting, node


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
    drawn = open_drawing(page, site, place, greeting("Hello"), "Undo")
    drawn.open("Send text")
    drawn.add("Send text", "Second")
    drawn.fill("Text", "{{ nodes.say.output.id }} was first")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(drawn.cards).to_have_count(2)
    for _ in range(3):
        page.get_by_role("button", name="Redo").click()
    expect(drawn.step("Second")).to_contain_text("was first")
    page.get_by_role("button", name="Show all of it", exact=True).first.click()

    drawn.open("Send text")
    page.keyboard.down("Control")
    drawn.step("Second").locator("strong").hover()  # two frames: the canvas has seen the key
    drawn.step("Second").locator("strong").click()
    page.keyboard.up("Control")
    page.get_by_role("button", name="Align tops").click()
    names = ("Send text", "Second")
    until(lambda: len({top_of(drawn.step(name)) for name in names}) == 1, what="one line")
    page.keyboard.press("Control+c")
    expect(page.get_by_text("2 copied.")).to_be_visible()
    page.keyboard.press("Control+v")
    expect(drawn.cards).to_have_count(5)
    expect(drawn.lines).to_have_count(3)
    page.keyboard.press("Delete")
    expect(drawn.cards).to_have_count(3)
    page.keyboard.press("n")
    page.get_by_label("Text", exact=True).fill("Ask Ada first")
    expect(drawn.cards.filter(has_text="Ask Ada first")).to_be_visible()
    drawn.save()

    other = open_drawing(page, site, place, Graph(), "Elsewhere")
    page.locator(".react-flow__pane").click()
    page.keyboard.press("Control+v")
    expect(other.cards).to_have_count(2)
    expect(other.lines).to_have_count(1)
    other.open("Second")
    renamed = other.settings.get_by_label("Text", exact=True)
    expect(renamed).to_have_value(re.compile(r"nodes\.text_\w+\.output\.id \}\} was first"))


def top_of(card: Locator) -> float:
    box = card.bounding_box()
    assert box, "it is not on the screen"
    return box["y"]


def test_two_tabs_of_one_workflow_lose_nothing(page: Page, site: Site, place: Place) -> None:
    mine = open_drawing(page, site, place, greeting("Old"), "Two at once")
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    theirs = Drawing(other_tab)
    expect(theirs.step("Send text")).to_contain_text("Old")

    mine.open("Send text")
    mine.fill("Text", "Mine")
    mine.save()
    expect(other_tab.get_by_text("Someone saved this workflow elsewhere.")).to_be_visible()
    other_tab.get_by_role("button", name="Show what was saved").click()
    expect(theirs.step("Send text")).to_contain_text("Mine")
    theirs.open("Send text")
    theirs.fill("Text", "Theirs")
    theirs.save()

    mine.fill("Text", "Mine again")
    page.keyboard.press("Control+s")
    asked = page.get_by_role("alertdialog")
    expect(asked.get_by_text("Owner saved this workflow on")).to_be_visible()
    expect(page.get_by_text("Not saved")).to_be_visible()
    asked.get_by_role("button", name="Take theirs").click()
    expect(mine.step("Send text")).to_contain_text("Theirs")

    theirs.fill("Text", "Theirs too")
    theirs.save()
    mine.open("Send text")
    mine.fill("Text", "Mine counts")
    page.keyboard.press("Control+s")
    asked.get_by_role("button", name="Keep mine", exact=True).click()
    expect(page.get_by_text("Saved at")).to_be_visible()
    assert texts_of(place, mine.id) == ["Mine counts"]

    theirs.fill("Text", "A way of its own")
    other_tab.keyboard.press("Control+s")
    other_tab.get_by_role("button", name="Keep mine as a workflow of its own").click()
    copy = other_tab.get_by_role("heading", name="Two at once (mine)")
    expect(copy).to_be_visible(timeout=30_000)  # a page that is loaded anew
    expect(theirs.step("Send text")).to_contain_text("A way of its own")
    assert texts_of(place, mine.id) == ["Mine counts"]


def texts_of(place: Place, workflow_id: str) -> list[str]:
    """What the steps of the saved draft say."""
    with place.work() as ctx:
        nodes = queries.workflow(ctx, UUID(workflow_id)).draft.nodes
    return [node.config["text"] for node in nodes if "text" in node.config]


def test_a_draft_is_saved_after_a_while_on_leaving_and_when_the_tab_closes(
    page: Page, site: Site, place: Place
) -> None:
    page.clock.install()
    drawn = open_drawing(page, site, place, greeting("Old"), "Leaving")
    here, drawn_id = page.url, drawn.id
    drawn.open("Send text")
    drawn.fill("Text", "By itself")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.clock.fast_forward(29_000)
    assert texts_of(place, drawn_id) == ["Old"]
    page.clock.fast_forward(2_000)
    expect(page.get_by_text("Saved at")).to_be_visible()
    assert texts_of(place, drawn_id) == ["By itself"]

    drawn.fill("Text", "On leaving")
    page.get_by_role("link", name="All workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()
    until(lambda: texts_of(place, drawn_id) == ["On leaving"], what="the save on leaving")

    page.goto(here)
    drawn.open("Send text")
    drawn.fill("Text", "On closing")
    page.close(run_before_unload=True)
    until(lambda: texts_of(place, drawn_id) == ["On closing"], what="the save on closing")


def test_a_workflow_with_a_problem_is_not_published_and_its_line_leads_there(
    page: Page, site: Site, place: Place
) -> None:
    template_of(place)
    unfinished = graph(
        [node("begin", "trigger.keyword", keywords=["order"]), node("it", "send.template")],
        [edge("begin", "it")],
    )
    drawn = open_drawing(page, site, place, unfinished, "Problems")
    page.get_by_role("button", name="Publish", exact=True).click()
    asked = page.get_by_role("dialog")
    expect(asked.get_by_role("button", name="Publish")).to_be_disabled()
    asked.get_by_role("button", name=re.compile("“Template” is missing")).click()
    drawn.choose("Template", "order_ready (en)")
    needed = "“body.order” of the template needs a value."
    expect(drawn.settings.get_by_text(needed)).to_be_visible()
    drawn.fill("{{first_name}} in the text", "Ada")
    order = drawn.settings.get_by_label("{{order}} in the text", exact=True)
    order.press_sequentially("{{ message.te")
    page.get_by_role("option", name="message.text").click()
    expect(drawn.settings.get_by_text(needed)).to_have_count(0)

    drawn.publish()
    unheard = page.get_by_role("status").filter(has_text="messages begin no run yet")
    expect(unheard).to_contain_text("Keyword: No number leaves its answers to automation")
    numbers = f"/dashboard/{place.tenant_id}/settings"
    expect(unheard.get_by_role("link")).to_have_attribute("href", numbers)
    with place.work() as ctx:
        channels.set_mode(ctx, place.number_id, NumberMode.AUTOMATION)
    expect(unheard).to_have_count(0)


def test_versions_are_compared_and_restored_and_a_workflow_duplicated(
    page: Page, site: Site, place: Place
) -> None:
    drawn = open_drawing(page, site, place, greeting("First"), "Versions")
    drawn.publish()
    drawn.open("Send text")
    drawn.fill("Text", "Second")
    drawn.save()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Compare with the draft").click()
    expect(page.get_by_text("Send text: Text")).to_be_visible()
    page.get_by_role("button", name="Restore as draft").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("The draft has changes that were never published.")
    asked.get_by_role("button", name="Restore as draft").click()
    expect(page.get_by_text("Version 1 is the draft now")).to_be_visible()
    expect(drawn.step("Send text")).to_contain_text("First")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Duplicate").click()
    copy = page.get_by_role("heading", name="Versions (copy)")
    expect(copy).to_be_visible(timeout=30_000)  # a page that is loaded anew
    expect(page.get_by_text("Draft, never published")).to_be_visible()


def test_a_file_comes_back_to_the_byte_and_what_can_not_come_in_is_told(
    page: Page, site: Site, place: Place
) -> None:
    enter(page, site, place.emails["owner"], f"/dashboard/{place.tenant_id}/automation")
    here = page.url
    page.get_by_role("button", name="New workflow").click()
    page.get_by_role("button", name="Order status", exact=True).click()
    page.get_by_role("button", name="Make it").click()
    first = exported(page)
    page.goto(here)
    bring_in(page, first)
    expect(page.get_by_text("Draft, never published")).to_be_visible()
    assert exported(page) == first

    page.goto(here)
    newer = json.dumps({**json.loads(first), "format": 99})
    asked = bring_in(page, newer.encode())
    expect(
        asked.get_by_text("made by a newer version of Aerostic: it has format 99")
    ).to_be_visible()
    asked = bring_in(page, json.dumps(N8N).encode(), is_open=True)
    expect(asked.get_by_role("listitem")).to_have_text(
        [re.compile("“Tell them” .*has no equal here")]
    )
    asked.get_by_role("button", name="Open it").click()
    drawn = Drawing(page)
    expect(drawn.cards.filter(has_text="“Tell them”")).to_be_visible()
    expect(drawn.step("Answer")).to_be_visible()


N8N = {
    "name": "From elsewhere",
    "nodes": [
        {"name": "Webhook", "type": "n8n-nodes-base.webhook", "position": [0, 0], "parameters": {}},
        {"name": "Tell them", "type": "n8n-nodes-base.slack", "position": [220, 0]},
        {
            "name": "Answer",
            "type": "n8n-nodes-base.respondToWebhook",
            "position": [440, 0],
            "parameters": {"respondWith": "json", "responseBody": '={"ok": true}'},
        },
    ],
    "connections": {
        "Webhook": {"main": [[{"node": "Tell them", "type": "main", "index": 0}]]},
        "Tell them": {"main": [[{"node": "Answer", "type": "main", "index": 0}]]},
    },
}


def exported(page: Page) -> bytes:
    page.get_by_role("button", name="More", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as a file").click()
    return Path(download.value.path()).read_bytes()


def bring_in(page: Page, content: bytes, *, is_open: bool = False) -> Locator:
    """Choose a file to import; the dialog."""
    if not is_open:
        page.get_by_role("button", name="Import", exact=True).click()
    asked = page.get_by_role("dialog")
    chosen = {"name": "a.json", "mimeType": "application/json", "buffer": content}
    asked.get_by_label("File").set_input_files(chosen)
    asked.get_by_role("button", name="Import", exact=True).click()
    return asked


# Runs ---------------------------------------------------------------------------------------------------


class Shop:
    """A program elsewhere. `code` is its answer; while `is_open` is not set it does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.code = 200
        self.is_open = threading.Event()
        self.is_open.set()

    @contextmanager
    def running(self) -> Iterator[str]:
        shop = self

        class Counter(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append(self.path)
                shop.is_open.wait(60)
                self.send_response(shop.code)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.is_open.set()
            server.shutdown()
            server.server_close()


def orders(shop: str, answer: str) -> Graph:
    steps = [
        node("hook", "trigger.webhook"),
        node("ask", "http.request", url=f"{shop}/orders/{{{{ webhookPayload.body.id }}}}"),
        node("say", "webhook.respond", body=answer),
    ]
    return graph(steps, [edge("hook", "ask"), edge("ask", "say")])


def test_a_failed_run_goes_on_from_its_step_and_is_replayed_on_another_version(
    page: Page, site: Site, place: Place
) -> None:
    shop = Shop()
    shop.code = 404
    with shop.running() as address:
        drawn = open_drawing(page, site, place, orders(address, "first"), "Orders")
        drawn.publish()
        post(site, drawn, {"id": 7})
        drawn.runs().first.click()
        run = page.get_by_role("complementary", name="The run")
        expect(run).to_contain_text("HTTP request: The answer was 404")
        shop.code = 200
        failed = run.get_by_role("listitem").filter(has_text="HTTP request")
        failed.get_by_role("button", name="Run again from here").click()
        expect(run).to_contain_text("Done")
        expect(run.get_by_role("listitem")).to_have_count(2)

        with place.work() as ctx:
            revision = queries.workflow(ctx, UUID(drawn.id)).revision
            service.save_draft(ctx, UUID(drawn.id), orders(address, "second"), revision)
            service.publish(ctx, UUID(drawn.id))
        run.get_by_role("button", name="Replay against…").click()
        page.get_by_role("menuitem", name="Version 2").click()
        compared = run.get_by_role("region", name="Then, and now")
        expect(compared).to_contain_text("HTTP requestthe same")
        expect(compared).to_contain_text("Respond to webhookanother output")
        expect(compared.locator("ins")).to_contain_text("second")
        expect(run).to_contain_text("Version 2")
        assert shop.asked == ["/orders/7", "/orders/7"], "the replay asked nobody"


def test_a_waiting_run_is_cancelled_and_a_person_decides_what_an_interrupted_call_came_to(
    page: Page, site: Site, place: Place
) -> None:
    rests = graph(
        [node("hook", "trigger.webhook"), node("rest", "logic.wait", amount=5, unit="hours")],
        [edge("hook", "rest")],
    )
    waiting = open_drawing(page, site, place, rests, "Rests")
    answer_at_once(place, waiting)
    waiting.publish()
    post(site, waiting, {})
    waiting.runs().first.click()
    run = page.get_by_role("complementary", name="The run")
    expect(run).to_contain_text("Rests until")
    run.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel the run").click()
    expect(run).to_contain_text("Someone cancelled it.")

    shop = Shop()
    with shop.running() as address:
        drawn = open_drawing(
            page, site, place, orders(address, "{{ nodes.ask.output.id }}"), "Doubt"
        )
        answer_at_once(place, drawn)
        drawn.publish()
        shop.is_open.clear()
        post(site, drawn, {"id": 9})
        until(lambda: shop.asked, what="the call", seconds=60)
        interrupt(place, drawn)
        shop.is_open.set()
        drawn.runs().filter(has_text="Needs a choice").click()
        run.get_by_role("button", name="Choose what counts").click()
        asked = page.get_by_role("dialog")
        expect(asked).to_contain_text("interrupted while “HTTP request” was calling")
        asked.get_by_label("What came out, as JSON").fill("17, I think")
        asked.get_by_role("button", name="It was done: go on").click()
        expect(asked).to_contain_text("That is not JSON")
        asked.get_by_label("What came out, as JSON").fill('{"id": 17}')
        asked.get_by_role("button", name="It was done: go on").click()
        expect(run).to_contain_text("Done")
        drawn.open("Respond to webhook")
        expect(drawn.settings.get_by_role("region", name="What came out")).to_contain_text("17")
        assert shop.asked == ["/orders/9"]


def answer_at_once(place: Place, drawn: Drawing) -> None:
    """Posts are answered before the run begins, which another process walks."""
    with place.work() as ctx:
        service.edit(ctx, UUID(drawn.id), webhook_waits=False)


def interrupt(place: Place, drawn: Drawing) -> None:
    """As if the process that walks its run had died, and its lease were over."""
    with place.system_work() as ctx:
        found = ctx.session.exec(
            select(Execution).where(col(Execution.workflow_id) == UUID(drawn.id))
        )
        run = found.one()
        run.leased_by = "a process that is gone"
        ctx.session.execute(
            text(
                "update due_work set leased_by = null, leased_until = null, due_at = now() where ref = :run"
            ),
            {"run": run.id},
        )


def test_the_draft_is_tried_and_nothing_leaves(page: Page, site: Site, automated: Place) -> None:
    drawn = open_drawing(page, site, automated, greeting("You wrote: {{ message.text }}"), "Trying")
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
    site: Site, place: Place, open_page: OpenPage
) -> None:
    workflow_id = made(place, greeting("Hello"), "On the way", published=True)
    with place.work() as ctx:
        executions.try_out(ctx, workflow_id, {"message": {"text": "Hi"}})
    phone = open_page(width=390)
    path = f"/dashboard/{place.tenant_id}/automation/{workflow_id}"
    enter(phone, site, place.emails["owner"], path)
    steps = phone.get_by_role("list", name="The steps of the workflow")
    expect(steps).to_contain_text("2. Send text")
    expect(steps).to_contain_text("Hello")
    switch = phone.get_by_role("switch", name="Runs begin")
    switch.click()
    expect(switch).not_to_be_checked()
    with place.work() as ctx:
        assert not queries.workflow(ctx, workflow_id).row.is_enabled
    switch.click()
    expect(switch).to_be_checked()
    phone.get_by_role("tab", name="Runs").click()
    phone.get_by_role("button", name=re.compile("2 steps")).click()
    run = phone.get_by_role("complementary", name="The run")
    expect(run.get_by_role("listitem").filter(has_text="Send text")).to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_the_pages_of_automation_have_no_serious_fault(
    page: Page, site: Site, place: Place
) -> None:
    steps = [node("begin", "trigger.message"), node("it", "ask.choice")]
    open_drawing(page, site, place, graph(steps, [edge("begin", "it")]), "Faultless")
    here = page.url
    paths = [here, f"{here}?tab=runs", f"{here}?tab=versions", here.rpartition("/")[0]]
    assert [fault for path in paths for fault in _faults(page, path)] == []
