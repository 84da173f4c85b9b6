"""AI agents and their knowledge in a real browser, with Gemini's stand-in in the simulator."""

import re

from playwright.sync_api import Page, expect

from tests.ai.agents import agent_of
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.conftest import Place

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
    message.fill("How long do deliveries take?")
    message.press("Enter")
    trial = page.get_by_role("log", name="The trial")
    expect(trial).to_contain_text("Deliveries take two days.")
    expect(trial).to_contain_text("Gemini 2.5 Flash")
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
