"""AI agents and their knowledge in a real browser, with Gemini's stand-in in the simulator."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from aerostic.domain.ai import service as ai
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from tests.ai.agents import agent_of
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.conftest import Place
from tests.simulator.conftest import NUMBER

# What the trial showed, one after the other.
KEEP_WHAT_IS_SEEN = """() => {
    window.seen = [];
    const look = () => window.seen.push(document.querySelector('[role=log]')?.textContent ?? '');
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
EXAMPLE = {"question": "How long do deliveries take?", "answer": "Deliveries take two days."}
HOURS = b"# Opening hours\nWe are open from 8 to 18. On Sundays we are closed.\n"


def test_a_document_is_uploaded_read_and_found_with_its_place(
    page: Page, site: Site, place: Place
) -> None:
    enter(page, site, place.emails["admin"], f"/dashboard/{place.tenant_id}/knowledge")
    page.get_by_role("button", name="New knowledge base").click()
    page.get_by_label("Name", exact=True).fill("Shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Add documents")).to_be_visible()

    page.locator("#knowledge-file").set_input_files(
        {"name": "hours.md", "mimeType": "text/markdown", "buffer": HOURS}
    )
    row = page.get_by_role("row").filter(has_text="hours.md")
    expect(row).to_contain_text("Ready", timeout=60_000)
    page.locator("#knowledge-file").set_input_files(
        {"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 nothing"}
    )
    broken = page.get_by_role("row").filter(has_text="broken.pdf")
    expect(broken).to_contain_text("The PDF is damaged and can not be read.", timeout=60_000)
    page.locator("#knowledge-file").set_input_files(
        {"name": "a.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}
    )
    expect(page.get_by_text("can not be read. Here fit: PDF, Word")).to_be_visible()

    page.get_by_label("Question").fill("Are you open on Sundays?")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("hours.md, “Opening hours”")).to_be_visible()

    page.get_by_role("button", name="Add a web page").click()
    page.get_by_label("Address").fill("http://169.254.169.254/latest")
    page.get_by_role("button", name="Add it").click()
    private = page.get_by_role("row").filter(has_text="169.254.169.254/latest")
    expect(private).to_contain_text("not on the public internet", timeout=60_000)
    private.get_by_role("button", name=re.compile("^Delete ")).click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(private).to_have_count(0)


def test_an_agent_is_made_set_tried_out_and_its_log_read(
    page: Page, site: Site, place: Place
) -> None:
    enter(page, site, place.emails["admin"], f"/dashboard/{place.tenant_id}/ai")
    page.get_by_role("button", name="New agent").click()
    page.get_by_label("Name", exact=True).fill("Robin")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Robin", level=2)).to_be_visible()

    page.get_by_label("Task and rules").fill("You sell tea. Deliveries take two days.")
    page.get_by_label("Temperature").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#field-temperature-help")).to_contain_text("between 0 and 2")
    page.get_by_label("Temperature").fill("0.1")
    page.get_by_label("Words that ask for a person").fill("human, agent")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    page.get_by_role("tab", name="Try it").click()
    message = page.get_by_label("Message to the agent")
    page.evaluate(KEEP_WHAT_IS_SEEN)
    message.fill("How long do deliveries take?")
    message.press("Enter")
    trial = page.get_by_role("log", name="The trial")
    expect(trial).to_contain_text("Deliveries take two days.")
    seen = page.evaluate("window.seen")
    assert any(said.endswith("Deliveries take two ") for said in seen), "it came in pieces"
    expect(trial).to_contain_text("Gemini 3.5 Flash-Lite")
    message.fill("I want a human!")
    message.press("Enter")
    expect(trial).to_contain_text("Handed over to a person: The customer asked for a person")

    page.get_by_role("tab", name="Log").click()
    turns = page.get_by_role("table").get_by_role("row")
    expect(turns).to_have_count(3)
    page.get_by_role("button", name="How long do deliveries take?").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Deliveries take two days.")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("tab", name="Examples").click()
    page.get_by_role("button", name="New example").click()
    page.get_by_label("Question").fill("Do you sell coffee?")
    page.get_by_label("Answer", exact=True).fill("Only tea.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="Only tea.")).to_be_visible()

    page.get_by_role("switch", name="Answers numbers in mode AI").click()
    page.get_by_role("link", name="All agents").click()
    expect(page.get_by_role("row").filter(has_text="Robin")).to_contain_text("Answers")


@pytest.mark.parametrize(
    ("model", "examples"), [("gemini-3.5-flash-lite", []), ("local", [EXAMPLE])]
)
def test_a_number_in_mode_ai_is_answered_until_a_person_takes_over_and_again_after(
    page: Page, site: Site, cafe: Place, model: str, examples: list[dict[str, str]]
) -> None:
    robin = agent_of(
        cafe,
        model=model,
        system_prompt="You sell tea. Deliveries take two days.",
        examples=examples,
        hand_over_words=["human"],
        fallback="A colleague will write soon.",
    )
    with cafe.work() as ctx:
        ai.choose_answering(ctx, robin)
        number = ctx.session.exec(
            select(PhoneNumber).where(PhoneNumber.phone_number_id == NUMBER)
        ).one()
        channels.set_mode(ctx, number.id, NumberMode.AI)

    site.says("Mei Tanaka", "How long do deliveries take?")
    enter(page, site, cafe.emails["owner"], f"/dashboard/{cafe.tenant_id}/inbox")
    page.get_by_role("button", name="Mei Tanaka").click()
    thread = page.get_by_role("log", name="Messages")
    said = thread.get_by_text("Deliveries take two days.")
    expect(said).to_have_count(
        1, timeout=60_000
    )  # the first answer of a process loads Gemini's client

    site.says("Mei Tanaka", "Let me talk to a human")
    expect(thread.get_by_text("A colleague will write soon.")).to_be_visible()
    expect(thread.get_by_text("Handed over to people.")).to_be_visible()
    answering = page.get_by_role("button", name=re.compile("Who answers"))
    expect(answering).to_contain_text("People")
    site.says("Mei Tanaka", "Hello, human?")
    expect(thread.get_by_text("Hello, human?")).to_be_visible()

    answering.click()
    page.get_by_role("menuitem", name=re.compile("Hand back")).click()
    expect(answering).to_contain_text("AI agent")
    site.says("Mei Tanaka", "How long do deliveries take?")
    expect(said).to_have_count(2)


def test_agents_and_their_pages_are_not_for_the_agents_role_nor_for_another_tenant(
    open_page, site: Site, place: Place, rival: Place
) -> None:
    robin = agent_of(place)
    page = open_page()
    enter(page, site, rival.emails["owner"], f"/dashboard/{rival.tenant_id}/ai/{robin}")
    expect(page.get_by_text("That agent does not exist.")).to_be_visible()
    other = open_page()
    enter(other, site, place.emails["agent"], f"/dashboard/{place.tenant_id}/inbox")
    expect(other.get_by_role("link", name="Inbox").first).to_be_visible()
    expect(other.get_by_role("link", name="AI", exact=True)).to_have_count(0)
