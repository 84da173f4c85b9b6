"""The team's page: a long list page by page, and leaving."""

from playwright.sync_api import Page, expect

from aerostic.core.permissions import STRANGER, Role
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import Membership, User
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.conftest import Place


def test_a_large_team_is_turned_page_by_page(page: Page, site: Site, place: Place) -> None:
    with shared_work(STRANGER) as ctx:
        mark = place.slug
        people = [
            User(email=f"a{at:02}-{mark}@example.test", name=f"A{at:02}", password_hash="-")
            for at in range(50)
        ]
        ctx.session.add_all(people)
        ctx.session.flush()
        ctx.session.add_all(
            Membership(tenant_id=place.tenant_id, user_id=one.id, role=Role.AGENT) for one in people
        )
    enter(page, site, place.emails["owner"], f"/dashboard/{place.tenant_id}/team")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(51)  # fifty and the head
    page.get_by_role("button", name="Next").click()
    expect(rows).to_have_count(4)
    expect(page.get_by_text(place.emails["owner"])).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="Previous").click()
    expect(rows).to_have_count(51)


def test_whoever_leaves_sees_the_workspace_no_more(page: Page, site: Site, place: Place) -> None:
    enter(page, site, place.emails["agent"], f"/dashboard/{place.tenant_id}/team")
    page.get_by_role("button", name="More about Agent").click()
    page.get_by_role("menuitem", name="Leave the workspace").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="You are in no workspace")).to_be_visible()
    page.goto(f"{site.url}/dashboard/{place.tenant_id}/team")
    page.wait_for_url("**/404")
