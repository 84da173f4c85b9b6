"""The first minutes of a newcomer, in a real browser."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.backend import Backend
from tests.conftest import PASSWORD, Place
from tests.mailbox import code_for, link_token_for
from tests.waiting import until

RunJobs = Callable[[], int]


def sign_in(page: Page, site: Backend, email: str, *, to: str = "/login") -> None:
    page.goto(site.url + to)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_newcomer_registers_and_stands_in_their_own_workspace(
    page: Page, site: Backend, run_jobs: RunJobs
) -> None:
    page.goto(f"{site.url}/register")
    page.get_by_label("Your name").fill("Ada Byron")
    page.get_by_label("Name of the workspace").fill("Analytical Tea Room")
    page.get_by_label("E-mail").fill("ada@newcomer.test")
    page.get_by_label("Password").fill("engines weave algebra")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    until(run_jobs, what="the mail to be queued")
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
    page: Page, site: Backend, place: Place, run_jobs: RunJobs, browser: Browser
) -> None:
    sign_in(page, site, place.emails["owner"], to=f"/login?next=/dashboard/{place.tenant_id}/team")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("E-mail").fill("grace@colleague.test")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("cell", name="grace@colleague.test")).to_be_visible()
    until(run_jobs, what="the mail to be queued")

    visitor = browser.new_context().new_page()
    visitor.goto(f"{site.url}/accept-invite?token={link_token_for('grace@colleague.test')}")
    visitor.get_by_label("Your name").fill("Grace")
    visitor.get_by_label("Choose a password").fill("nanoseconds of wire")
    visitor.get_by_role("button", name="Join the workspace").click()
    visitor.wait_for_url(f"**/dashboard/{place.tenant_id}/inbox")
    expect(page.get_by_text("Grace", exact=True)).to_be_visible()  # the team page heard of it
    visitor.context.close()


def test_the_palette_opens_and_leads_somewhere(page: Page, site: Backend, place: Place) -> None:
    sign_in(page, site, place.emails["owner"], to=f"/login?next=/dashboard/{place.tenant_id}/team")
    expect(page.get_by_text(place.emails["agent"])).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_label("Find a page").fill("sett")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/dashboard/{place.tenant_id}/settings")


SIGNED_OUT = ("/", "/login", "/register", "/forgot-password", "/accept-invite?token=x", "/404")
SIGNED_IN = ("team", "settings", "settings?tab=workspace", "settings?tab=labels",
             "settings?tab=replies", "settings?tab=profile")  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_has_a_serious_fault_for_those_who_need_help_to_read_it(
    browser: Browser, site: Backend, place: Place, scheme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    faults = {path: _faults(page, site.url + path) for path in SIGNED_OUT}
    sign_in(page, site, place.emails["owner"])
    page.wait_for_url("**/inbox")
    inside = f"{site.url}/dashboard/{place.tenant_id}/"
    faults |= {path: _faults(page, inside + path) for path in SIGNED_IN}
    context.close()
    assert [f"{path} {fault}" for path, found in faults.items() for fault in found] == []


def _faults(page: Page, url: str) -> list[str]:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-label=Loading]")).to_have_count(0)
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[(node['html'][:160], node['failureSummary']) for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
