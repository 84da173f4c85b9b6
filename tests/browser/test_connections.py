"""Connecting Google in its window, and telling another program, as an owner does both."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.schemas import NewContact
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.browser.test_accessibility import LOOKS, _faults_at
from tests.conftest import Place
from tests.waiting import until
from tests.webhooks_out.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Any:
    with receiving() as made:
        yield made


def faults(page: Page) -> list[str]:
    return [fault for width, scheme in LOOKS for fault in _faults_at(page, width, scheme)]


def test_an_account_is_connected_in_its_window_and_let_go(
    page: Page, site: Site, make_place
) -> None:
    place: Place = make_place("Harbour Roasters")
    settings = f"/dashboard/{place.tenant_id}/settings?tab=connections"
    enter(page, site, place.emails["admin"], settings)
    expect(page.get_by_text("No account yet")).to_be_visible()
    page.get_by_role("button", name="Connect an account").click()
    page.get_by_role("checkbox", name="Google Drive").click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue to Google").click()
    popup = opened.value
    expect(popup.get_by_text("spreadsheets", exact=False)).to_be_visible()
    expect(popup.get_by_text("Google Drive files", exact=False)).to_have_count(0)
    popup.get_by_role("radio", name="Lena Fischer").check()
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("lena.fischer@gmail.test is connected.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Sheets", exact=True)).to_be_visible()
    expect(page.get_by_text("Drive", exact=True)).to_have_count(0)
    expect(page.get_by_text("is connected.")).to_have_count(0)
    assert faults(page) == []

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="More about lena.fischer@gmail.test").click()
    with page.expect_popup() as opened:
        page.get_by_role("menuitem", name="Allow Google Drive too").click()
    popup = opened.value
    popup.get_by_role("radio", name="Lena Fischer").check()
    popup.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Drive", exact=True)).to_be_visible()

    page.get_by_role("button", name="More about lena.fischer@gmail.test").click()
    page.get_by_role("menuitem", name="Disconnect").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("lena.fischer@gmail.test is disconnected")).to_be_visible()
    expect(page.get_by_text("No account yet")).to_be_visible()


def test_who_cancels_at_google_is_told_so(page: Page, site: Site, make_place) -> None:
    place: Place = make_place("Harbour Roasters")
    settings = f"/dashboard/{place.tenant_id}/settings?tab=connections"
    enter(page, site, place.emails["owner"], settings)
    page.get_by_role("button", name="Connect an account").click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue to Google").click()
    opened.value.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("you did not allow it at Google")).to_be_visible()
    expect(page.get_by_text("No account yet")).to_be_visible()


def test_another_program_is_told_what_happens(
    page: Page, site: Site, make_place, receiver: Receiver
) -> None:
    place: Place = make_place("Harbour Roasters")
    settings = f"/dashboard/{place.tenant_id}/settings?tab=webhooks"
    enter(page, site, place.emails["owner"], settings)
    expect(page.get_by_text("No endpoint yet")).to_be_visible()
    page.get_by_role("button", name="New endpoint").click()
    page.get_by_label("Address").fill("http://10.0.0.7/hook")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("not on the public internet")).to_be_visible()
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose at least one event.")).to_be_visible()
    page.get_by_role("checkbox", name="Contact created").check()
    page.get_by_role("button", name="Save").click()
    secret = page.locator("#webhook-secret").inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    expect(page.get_by_text("Nothing delivered yet")).to_be_visible()

    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Ada Lovelace"))
    until(lambda: receiver.posts, what="the post", seconds=20)
    assert receiver.told()[0]["data"]["contact"]["name"] == "Ada Lovelace"
    expect(page.get_by_text("Last delivered")).to_be_visible()
    assert faults(page) == []

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Log").click()
    expect(page.get_by_text("Delivered", exact=True)).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_label("What was sent")).to_contain_text("Ada Lovelace")
    expect(page.get_by_label("Headers of the request")).to_contain_text("webhook-signature")
    page.get_by_role("button", name="Send again").last.click()
    until(lambda: len(receiver.posts) == 2, what="the second post", seconds=20)
    assert receiver.posts[0][0]["webhook-id"] == receiver.posts[1][0]["webhook-id"]


def test_an_admin_sees_no_webhooks(page: Page, site: Site, make_place) -> None:
    place: Place = make_place("Harbour Roasters")
    enter(page, site, place.emails["admin"], f"/dashboard/{place.tenant_id}/settings")
    expect(page.get_by_role("tab", name="Connections")).to_be_visible()
    expect(page.get_by_role("tab", name="Webhooks")).to_have_count(0)
