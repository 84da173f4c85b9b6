"""A second factor: set up with an app, asked for at the door, and the codes for a lost phone."""

import pyotp
from playwright.sync_api import Page, expect

from aerostic.core import clock
from aerostic.core.permissions import STRANGER, PlatformRole
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import User
from tests.browser.conftest import OpenPage, Site
from tests.browser.people import enter
from tests.conftest import PASSWORD, Place


def sign_in_with(page: Page, site: Site, place: Place, code: str) -> None:
    page.goto(f"{site.url}/login")
    page.get_by_label("E-mail").fill(place.emails["admin"])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="I use an authenticator app").click()
    page.get_by_label("Code of your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_an_app_and_a_recovery_code_each_open_the_door_and_the_password_alone_no_longer(
    page: Page, site: Site, place: Place, open_page: OpenPage
) -> None:
    enter(page, site, place.emails["admin"], f"/dashboard/{place.tenant_id}/settings?tab=profile")
    page.get_by_role("button", name="Set up an authenticator app").click()
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    app = pyotp.TOTP(page.locator("code").first.inner_text())
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("That code is not right")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("The second factor is on.")).to_be_visible()
    codes = page.locator("code").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()

    door = open_page()
    sign_in_with(door, site, place, "")
    expect(door.get_by_text("That did not work.")).to_be_visible()
    door.get_by_label("Code of your authenticator app").fill(_next_code(app))
    door.get_by_role("button", name="Sign in").click()
    door.wait_for_url(f"**/dashboard/{place.tenant_id}/inbox")

    lost = open_page()
    sign_in_with(lost, site, place, codes[0])
    lost.wait_for_url(f"**/dashboard/{place.tenant_id}/inbox")
    lost.goto(f"{site.url}/dashboard/{place.tenant_id}/settings?tab=profile")
    expect(lost.get_by_text("9 recovery codes left")).to_be_visible()

    thief = open_page()
    sign_in_with(thief, site, place, codes[0])
    expect(thief.get_by_text("That did not work.")).to_be_visible()


def test_a_super_admin_sets_one_up_before_anything_else(page: Page, site: Site, make_place) -> None:
    home = make_place("Platform")
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, home.owner_id).platform_role = PlatformRole.SUPER_ADMIN
    enter(page, site, home.emails["owner"], "/admin/deliveries")
    page.wait_for_url("**/second-factor")
    page.get_by_role("button", name="Set up an authenticator app").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    app = pyotp.TOTP(page.locator("code").first.inner_text())
    page.get_by_label("Code", exact=True).fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url(f"**/dashboard/{home.tenant_id}/inbox")
    page.goto(f"{site.url}/admin/deliveries")
    expect(page.get_by_role("heading", name="Delivery log")).to_be_visible()


def _next_code(app: pyotp.TOTP) -> str:
    """A code works once, so setting up has used the present one; a phone may be half a minute ahead."""
    return app.at(clock.now(), counter_offset=1)
