"""The platform's delivery log: what is parked, byte for byte, and applying it again."""

import pytest
from playwright.sync_api import Page, expect

from aerostic.core.permissions import STRANGER, PlatformRole
from aerostic.core.tenancy import shared_work
from aerostic.domain.channels.models import NumberDirectory
from aerostic.domain.identity.models import User
from tests.browser.conftest import OpenPage, Site
from tests.browser.people import enter
from tests.conftest import Place
from tests.meta import change, contact, delivery, message, phone, raw, sign
from tests.waiting import until


@pytest.fixture
def staff(make_place) -> Place:
    """Someone of the platform's staff."""
    home = make_place("Platform")
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, home.owner_id).platform_role = PlatformRole.PLATFORM_ADMIN
    return home


def forget_number(place: Place) -> None:
    with shared_work(STRANGER) as ctx:
        ctx.session.delete(ctx.session.get_one(NumberDirectory, place.phone_number_id))


def know_number(place: Place) -> None:
    with shared_work(STRANGER) as ctx:
        ctx.session.add(
            NumberDirectory(
                phone_number_id=place.phone_number_id,
                tenant_id=place.tenant_id,
                number_id=place.number_id,
            )
        )


def post(site: Site, page: Page, payload: object) -> None:
    body = raw(payload)
    answer = page.request.post(
        f"{site.url}/webhooks/meta", data=body, headers={"X-Hub-Signature-256": sign(body)}
    )
    assert answer.status == 200


def parked(site: Site, page: Page) -> str:
    """What the log's page would show as parked, as the API tells it."""
    return page.request.get(f"{site.url}/api/v1/deliveries?status=parked&limit=200").text()


def test_a_parked_delivery_is_read_and_applied_again(
    page: Page, site: Site, place: Place, staff: Place, open_page: OpenPage
) -> None:
    forget_number(place)
    sender = phone()
    text = {"type": "text", "text": {"body": "Is anybody there? 👋"}}
    told = change(place, contacts=[contact(sender)], messages=[message(sender, text)])
    post(site, page, delivery(place, told))
    reason = f"No workspace has connected the number {place.phone_number_id}."
    enter(page, site, staff.emails["owner"], "/dashboard")
    until(lambda: reason in parked(site, page), what="the worker to have looked")

    page.goto(f"{site.url}/admin/deliveries")
    page.get_by_role("radio", name="Parked").click()
    row = page.get_by_role("row").filter(has_text=reason)
    row.get_by_role("button", name="Open").click()
    opened = page.get_by_role("dialog")
    expect(opened.get_by_text(reason)).to_be_visible()
    expect(opened.get_by_role("region", name="What was posted")).to_contain_text("👋")

    know_number(place)
    opened.get_by_role("button", name="Apply again").click()
    expect(page.get_by_text("It is queued again.")).to_be_visible()
    agent = open_page()
    enter(agent, site, place.emails["agent"], f"/dashboard/{place.tenant_id}/inbox")
    expect(agent.get_by_role("button", name="Ada Lovelace")).to_contain_text("Is anybody there?")
    until(lambda: reason not in parked(site, page), what="the delivery to be done")
    opened.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Refresh").click()
    expect(row).to_have_count(0)


def test_who_is_not_of_the_staff_is_sent_away(page: Page, site: Site, place: Place) -> None:
    enter(page, site, place.emails["owner"], "/admin/deliveries")
    page.wait_for_url("**/404")


def test_the_log_is_turned_page_by_page(page: Page, site: Site, place: Place, staff: Place) -> None:
    for _ in range(51):
        post(site, page, delivery(place, change(place, messages=[message(phone())])))
    enter(page, site, staff.emails["owner"], "/admin/deliveries")
    rows = page.get_by_role("row")
    expect(rows).to_have_count(51)  # fifty and the head
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_text("Page 1")).to_be_visible()
    expect(rows).to_have_count(51)
