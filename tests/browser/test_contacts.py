"""Contacts: finding people, keeping them, merging two of them, erasing one, and importing a list."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.builders import contact_of, conversation_of, inbound
from tests.conftest import Place


def contacts_of(place: Place) -> str:
    return f"/dashboard/{place.tenant_id}/contacts"


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_people_are_found_by_name_and_number_and_shown_fifty_at_a_time(
    page: Page, site: Site, place: Place, rival: Place
) -> None:
    for at in range(60):
        contact_of(place, f"Guest {at:02}", f"4915155500{at:03}")
    contact_of(rival, "Guest of the rival", "4915155599999")
    enter(page, site, place.emails["agent"], contacts_of(place))
    names = page.get_by_role("table").get_by_role("link")
    expect(names).to_have_count(50)
    page.get_by_role("button", name="show more").click()
    expect(names).to_have_count(60)
    search = page.get_by_label("Search contacts")
    search.fill("guest 07")
    expect(names).to_have_text(["Guest 07"])
    search.fill("55500042")
    expect(names).to_have_text(["Guest 42"])
    search.fill("rival")
    expect(page.get_by_role("heading", name="Nobody like that")).to_be_visible()


def test_a_contact_is_entered_changed_and_tagged(page: Page, site: Site, place: Place) -> None:
    enter(page, site, place.emails["agent"], contacts_of(place))
    page.get_by_role("button", name="New contact").click()
    page.get_by_label("Name", exact=True).fill("Mei Tanaka")
    page.get_by_label("Phone number").fill("12")
    page.get_by_role("button", name="Add the contact").click()
    expect(page.locator("#field-phone-help")).to_contain_text("country code")
    page.get_by_label("Phone number").fill("+81 90 5550 0123")
    page.get_by_role("button", name="Add the contact").click()
    expect(page.get_by_role("heading", name="Mei Tanaka", level=2)).to_be_visible()

    page.get_by_role("button", name="Edit").click()
    page.get_by_label("E-mail").fill("mei@example.test")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("mei@example.test")).to_be_visible()

    page.get_by_role("link", name="All contacts").click()
    page.get_by_role("button", name="Tags and fields").click()
    page.get_by_label("New tag").fill("Regular")
    page.get_by_role("button", name="Add the tag").click()
    expect(page.get_by_role("button", name="Delete the tag Regular")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("checkbox", name="Select Mei Tanaka").click()
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_role("menuitem", name="Regular").click()
    expect(page.get_by_role("cell", name="Regular", exact=True)).to_be_visible()


def test_two_who_are_one_are_merged(page: Page, site: Site, place: Place) -> None:
    kept = contact_of(place, "Jonas Weber", "4915155500199")
    other = conversation_of(place, "J. Weber (work)", phone="4940555000")
    inbound(place, other, "Guten Tag")
    enter(page, site, place.emails["agent"], f"{contacts_of(place)}/{kept}")
    page.get_by_role("button", name="More about this contact").click()
    page.get_by_role("menuitem", name="Merge another contact").click()
    page.get_by_label("Find the other contact").fill("work")
    page.get_by_role("button", name="J. Weber (work)").click()
    page.get_by_role("button", name="Merge J. Weber (work)").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Guten Tag")).to_be_visible()
    page.get_by_role("link", name="All contacts").click()
    expect(page.get_by_role("table").get_by_role("link")).to_have_text(["Jonas Weber"])


def test_erasing_asks_twice_and_leaves_no_name(page: Page, site: Site, place: Place) -> None:
    person = contact_of(place, "Lena Novak", "4915155500111")
    enter(page, site, place.emails["owner"], f"{contacts_of(place)}/{person}")
    page.get_by_role("button", name="More about this contact").click()
    page.get_by_role("menuitem", name="Erase").click()
    asked = page.get_by_role("dialog")
    asked.get_by_role("button", name="Erase for good").click()
    expect(asked.locator("#field-typed-help")).to_contain_text("Type erase to confirm.")
    asked.get_by_label("Type erase to confirm").fill("erase")
    asked.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="No contacts yet")).to_be_visible()
    page.goto(f"{site.url}{contacts_of(place)}/{person}")
    expect(page.get_by_text("Lena Novak")).to_have_count(0)


def test_a_list_is_imported_step_by_step(page: Page, site: Site, place: Place) -> None:
    people = "".join(f"Guest {at},+49151555{at:05},harbour\n" for at in range(4000))
    listed = f"Who,Mobile,Where from\n{people}Nobody,12,harbour\nPriya,none,café\n"
    enter(page, site, place.emails["admin"], f"{contacts_of(place)}/import")
    page.get_by_label("File").set_input_files(
        {"name": "guests.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    )
    expect(page.get_by_role("heading", name="guests.csv")).to_be_visible()
    expect(page.get_by_role("region", name="The first rows of the file")).to_contain_text("Guest 4")
    expect(page.get_by_label("What the column Mobile becomes")).to_contain_text("number")
    choose(page, "What the column Who becomes", "Name")
    choose(page, "What the column Where from becomes", "Tags")
    page.get_by_role("button", name="Import 4002 rows").click()
    expect(page.get_by_role("progressbar", name="How much is imported")).to_be_visible()

    expect(page.get_by_role("heading", name="Refused rows")).to_be_visible(timeout=60_000)
    refused = page.get_by_role("table").get_by_role("row")
    expect(refused).to_have_count(3)  # and the head
    expect(refused.nth(1)).to_contain_text("Nobody")
    with page.expect_download() as report:
        page.get_by_role("button", name="Download the report").click()
    written = report.value.path().read_text("utf-8-sig")
    assert "Priya,none,café" in written
    assert "Guest 1" not in written
    page.get_by_role("link", name="See the contacts").click()
    expect(page.get_by_text("4,000 in this list")).to_be_visible()
