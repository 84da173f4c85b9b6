"""The main journey: a customer writes on a telephone, a colleague answers in the inbox."""

from datetime import timedelta

from playwright.sync_api import Page, Route, expect

from aerostic.core import clock
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from tests.browser.conftest import OpenPage, Site
from tests.browser.people import enter
from tests.builders import conversation_of
from tests.conftest import Place
from tests.simulator.conftest import NUMBER


def inbox_of(place: Place) -> str:
    return f"/dashboard/{place.tenant_id}/inbox"


def open_conversation(page: Page, name: str) -> None:
    page.get_by_role("list", name="Conversations").get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()


def answer(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def test_what_a_phone_writes_appears_and_the_answer_climbs_to_read(
    site: Site, cafe: Place, rival: Place, open_page: OpenPage
) -> None:
    agent, stranger, phone = open_page(), open_page(), open_page(width=390)
    enter(agent, site, cafe.emails["agent"], inbox_of(cafe))
    enter(stranger, site, rival.emails["agent"], inbox_of(rival))
    expect(agent.get_by_role("heading", name="No open conversations")).to_be_visible()

    phone.goto(f"{site.url}/simulator")
    phone.get_by_role("button", name="Mei Tanaka").click()
    phone.get_by_role("button", name="Bluebird Café").click()
    phone.get_by_label("Message", exact=True).fill("Is the terrace open today?")
    phone.get_by_role("button", name="Send", exact=True).click()

    open_conversation(agent, "Mei Tanaka")
    thread = agent.get_by_role("log", name="Messages")
    expect(thread.get_by_text("Is the terrace open today?")).to_be_visible()
    answer(agent, "It is, until nine!")
    said = thread.get_by_role("article").filter(has_text="It is, until nine!")
    expect(said.get_by_role("img", name="Read")).to_be_visible()  # the chat is open on the phone
    expect(phone.get_by_role("log").get_by_text("It is, until nine!")).to_be_visible()
    expect(stranger.get_by_role("button", name="Mei Tanaka")).to_have_count(0)


def test_ticks_stop_at_delivered_until_the_chat_is_opened(
    page: Page, site: Site, cafe: Place
) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Jonas Weber", "Do you deliver?")
    open_conversation(page, "Jonas Weber")
    answer(page, "We do.")
    said = page.get_by_role("article").filter(has_text="We do.")
    expect(said.get_by_role("img", name="Delivered")).to_be_visible()
    site.says("Jonas Weber", "Wonderful")
    site.whatsapp("POST", f"people/{site.person('Jonas Weber')}/chats/{NUMBER}/open")
    expect(said.get_by_role("img", name="Read")).to_be_visible()


def test_a_failure_shows_its_reason_and_is_sent_again(page: Page, site: Site, cafe: Place) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Priya Sharma", "Hello?")
    open_conversation(page, "Priya Sharma")
    site.whatsapp("POST", "trouble", {"failures": [{"code": 131026, "count": 1, "mode": "async"}]})
    answer(page, "Good morning, Priya")
    failed = page.get_by_role("article").filter(has=page.get_by_role("img", name="Not delivered"))
    expect(failed.get_by_role("alert")).to_contain_text("WhatsApp")
    failed.get_by_role("button", name="Try again").click()
    arrived = page.get_by_role("article").filter(has=page.get_by_role("img", name="Delivered"))
    expect(arrived).to_contain_text("Good morning, Priya")


def test_a_message_that_waits_can_be_taken_back(page: Page, site: Site, place: Place) -> None:
    conversation_of(place, "Diego Fernández", phone="525555500178")
    _another_sender_holds_the_number(place)
    enter(page, site, place.emails["agent"], inbox_of(place))
    open_conversation(page, "Diego Fernández")
    answer(page, "For seven, yes")
    waiting = page.get_by_role("article").filter(has_text="For seven, yes")
    waiting.get_by_role("button", name="Do not send").click()
    expect(waiting.get_by_role("img", name="Cancelled")).to_be_visible()
    expect(waiting.get_by_role("button", name="Do not send")).to_have_count(0)


def _another_sender_holds_the_number(place: Place) -> None:
    later = clock.now() + timedelta(hours=1)
    with shared_work(STRANGER) as ctx:
        lane = {"kind": WorkKind.LANE, "tenant_id": place.tenant_id, "ref": place.number_id}
        ctx.session.add(DueWork(**lane, leased_by="another", leased_until=later))


def test_a_file_goes_where_it_was_chosen_though_another_conversation_is_open_by_then(
    page: Page, site: Site, cafe: Place
) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Jonas Weber", "Where is the invoice?")
    site.says("Mei Tanaka", "Good morning")
    open_conversation(page, "Jonas Weber")
    page.get_by_role("textbox", name="Message", exact=True).fill("Here it is")
    page.get_by_label("File to send", exact=True).set_input_files(
        {"name": "invoice.txt", "mimeType": "text/plain", "buffer": b"12.50"}
    )
    chosen = page.get_by_role("figure", name="File to send: invoice.txt")
    expect(chosen).to_contain_text("5 bytes")
    open_conversation(page, "Mei Tanaka")
    expect(chosen).to_have_count(0)
    open_conversation(page, "Jonas Weber")
    expect(chosen).to_be_visible()
    held: list[Route] = []
    page.route("**/api/v1/media", lambda route: held.append(route))
    with page.expect_request("**/api/v1/media"):
        page.get_by_role("button", name="Send", exact=True).click()
    open_conversation(page, "Mei Tanaka")
    box = page.get_by_role("textbox", name="Message", exact=True)
    expect(box).to_have_value("")
    box.fill("Good morning, Mei")
    held[0].continue_()

    everybody = page.get_by_role("list", name="Conversations")
    expect(everybody.get_by_role("button", name="Jonas Weber")).to_contain_text("Here it is")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(box).to_have_value("Good morning, Mei")
    open_conversation(page, "Jonas Weber")
    sent = page.get_by_role("article").filter(has_text="Here it is")
    expect(sent.get_by_role("link", name="invoice.txt")).to_be_visible()


def test_a_search_of_two_words_keeps_the_space_while_one_thinks(
    page: Page, site: Site, cafe: Place
) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Lena Novak", "Is the oat milk free of gluten?")
    expect(page.get_by_text("Lena Novak").first).to_be_visible()
    field = page.get_by_label("Search messages and people")
    field.press_sequentially("oat ")
    expect(page.get_by_role("region", name="Search results")).to_contain_text("oat milk")
    field.press_sequentially("milk")
    expect(field).to_have_value("oat milk")
    expect(page.get_by_role("region", name="Search results")).to_contain_text("Lena Novak")


def test_a_conversation_is_snoozed_until_a_chosen_moment(
    page: Page, site: Site, cafe: Place
) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Amara Okafor", "Is the blue mug back?")
    open_conversation(page, "Amara Okafor")
    page.get_by_role("button", name="Snooze", exact=True).click()
    page.get_by_role("menuitem", name="Choose a date and time").click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Date and time").fill("2020-01-01T09:00")
    asked.get_by_role("button", name="Snooze").click()
    expect(page.get_by_text("Choose a time that is still to come.")).to_be_visible()
    asked.get_by_label("Date and time").fill("2099-01-01T09:00")
    asked.get_by_role("button", name="Snooze").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    page.get_by_role("button", name="Snoozed").click()
    expect(page.get_by_role("list", name="Conversations")).to_contain_text("Amara Okafor")


def test_a_private_note_calls_upon_a_colleague(page: Page, site: Site, cafe: Place) -> None:
    enter(page, site, cafe.emails["agent"], inbox_of(cafe))
    site.says("Jonas Weber", "Is the terrace open?")
    open_conversation(page, "Jonas Weber")
    page.get_by_role("tab", name="Private note").click()
    note = page.get_by_role("textbox", name="Private note")
    note.press_sequentially("Please look, @Ow")
    page.get_by_role("option", name="@Owner").click()
    expect(note).to_have_value("Please look, @Owner ")
    page.get_by_role("button", name="Save").click()
    written = page.get_by_role("note").filter(has_text="Please look, @Owner")
    expect(written.locator("b", has_text="@Owner")).to_be_visible()
