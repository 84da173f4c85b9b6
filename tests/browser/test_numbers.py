"""Connecting a WhatsApp number by pasting what Meta's dashboard shows, and letting it go."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.simulator.conftest import OTHER_ACCOUNT, OTHER_NUMBER


@pytest.mark.usefixtures("nobody_has_the_numbers")
def test_a_number_is_connected_and_let_go(page: Page, site: Site, make_place) -> None:
    place = make_place("Harbour Roasters")
    enter(page, site, place.emails["owner"], f"/dashboard/{place.tenant_id}/settings")
    page.get_by_role("button", name="Connect a number").click()
    page.get_by_label("WhatsApp Business Account ID").fill(OTHER_ACCOUNT)
    page.get_by_label("Phone number ID").fill(OTHER_NUMBER)
    page.get_by_label("Access token").fill("EAAsim-demo")
    page.get_by_role("button", name="Connect", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("token")).not_to_have_count(0)
    expect(dialog.get_by_role("alert").or_(dialog.locator(".rt-CalloutRoot"))).not_to_have_count(0)

    page.get_by_label("Access token").fill("EAAsim-rival")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("+1 555 000 2001")).to_be_visible()
    expect(page.get_by_text("Connected", exact=True).first).to_be_visible()
    expect(page.get_by_text("80 messages a second").first).to_be_visible()
    assert "EAAsim-rival" not in page.content()

    page.get_by_role("button", name="More about +1 555 000 2001").click()
    page.get_by_role("menuitem", name="Disconnect").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("+1 555 000 2001 is disconnected.")).to_be_visible()
    expect(page.get_by_text("Disconnected", exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name="More about +1 555 000 2001")).to_have_count(0)
