"""The first minutes of a newcomer, in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.backend import Backend
from tests.browser.conftest import OpenPage
from tests.browser.people import sign_in
from tests.conftest import PASSWORD, Place
from tests.mailbox import code_for, link_token_for, mails_to
from tests.waiting import until


def test_a_newcomer_registers_and_stands_in_their_own_workspace(page: Page, site: Backend) -> None:
    page.goto(f"{site.url}/register")
    page.get_by_label("Your name").fill("Ada Byron")
    page.get_by_label("Name of the workspace").fill("Analytical Tea Room")
    page.get_by_label("E-mail").fill("ada@newcomer.test")
    page.get_by_label("Password").fill("engines weave algebra")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    until(lambda: mails_to("ada@newcomer.test"), what="the mail")
    page.get_by_label("Code").fill(code_for("ada@newcomer.test"))
    page.get_by_role("button", name="Create the workspace").click()
    page.wait_for_url(re.compile(r"/dashboard/[0-9a-f-]{36}/inbox"))
    expect(page.get_by_text("Analytical Tea Room").first).to_be_visible()
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_password_gets_a_sentence_and_the_right_one_gets_in(
    page: Page, site: Backend, place: Place
) -> None:
    page.goto(f"{site.url}/login")
    page.get_by_label("E-mail").fill(place.emails["agent"])
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That did not work.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/dashboard/{place.tenant_id}/inbox")


def test_a_page_asks_for_the_sign_in_and_then_opens(
    page: Page, site: Backend, place: Place
) -> None:
    wanted = f"/dashboard/{place.tenant_id}/team"
    page.goto(site.url + wanted)
    page.wait_for_url("**/login/?*")
    page.get_by_label("E-mail").fill(place.emails["owner"])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{wanted}")
    expect(page.get_by_text(place.emails["agent"])).to_be_visible()


def test_the_next_person_at_the_same_tab_sees_nothing_of_the_one_before(
    page: Page, site: Backend, place: Place, rival: Place
) -> None:
    sign_in(page, site, place.emails["owner"], to=f"/login?next=/dashboard/{place.tenant_id}/team")
    expect(page.get_by_text(place.emails["agent"])).to_be_visible()
    page.get_by_role("button", name="Your account").first.click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login/**")
    page.get_by_label("E-mail").fill(rival.emails["owner"])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/dashboard/{rival.tenant_id}/inbox")
    page.get_by_role("link", name="Team").first.click()
    expect(page.get_by_text(rival.emails["agent"])).to_be_visible()
    expect(page.get_by_text(place.emails["agent"])).to_have_count(0)


def test_an_invited_colleague_joins(
    page: Page, site: Backend, place: Place, open_page: OpenPage
) -> None:
    sign_in(page, site, place.emails["owner"], to=f"/login?next=/dashboard/{place.tenant_id}/team")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("E-mail").fill("grace@colleague.test")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("cell", name="grace@colleague.test")).to_be_visible()
    until(lambda: mails_to("grace@colleague.test"), what="the mail")

    visitor = open_page()
    visitor.goto(f"{site.url}/accept-invite?token={link_token_for('grace@colleague.test')}")
    visitor.get_by_label("Your name").fill("Grace")
    visitor.get_by_label("Choose a password").fill("nanoseconds of wire")
    visitor.get_by_role("button", name="Join the workspace").click()
    visitor.wait_for_url(f"**/dashboard/{place.tenant_id}/inbox")
    expect(page.get_by_text("Grace", exact=True)).to_be_visible()  # the team page heard of it


def test_the_palette_opens_and_leads_somewhere(page: Page, site: Backend, place: Place) -> None:
    sign_in(page, site, place.emails["owner"], to=f"/login?next=/dashboard/{place.tenant_id}/team")
    expect(page.get_by_text(place.emails["agent"])).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_label("Find a page").fill("sett")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/dashboard/{place.tenant_id}/settings")
