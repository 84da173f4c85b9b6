"""A segment becomes a campaign, and the phones of the simulator receive it; paused, resumed, cancelled."""

import re

from playwright.sync_api import Page, expect

from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import service
from aerostic.domain.campaigns.schemas import CampaignDraft, Variant
from aerostic.domain.channels import queries as channels
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.schemas import Selection
from aerostic.domain.templates import queries as templates
from tests.browser.conftest import OpenPage, Site
from tests.browser.people import enter
from tests.builders import contact_of
from tests.conftest import Place
from tests.simulator.conftest import NUMBER
from tests.waiting import until

GUESTS = {
    "Amara Okafor": "2348035550142",
    "Diego Fernández": "525555500178",
    "Mei Tanaka": "819055500123",
    "Jonas Weber": "4915155500199",
}


def test_a_segment_becomes_a_campaign_that_arrives(page: Page, site: Site, cafe: Place) -> None:
    guests = [contact_of(cafe, name, phone) for name, phone in GUESTS.items()]
    contact_of(cafe, "Nobody's Friend", "4915155500111")
    with cafe.work("admin") as ctx:
        regular = contacts.create_tag(ctx, "Regular")
        contacts.tag_contacts(ctx, regular.id, Selection(ids=tuple(guests)))
    until(lambda: template_of(cafe, "order_ready"), what="the templates")
    enter(page, site, cafe.emails["admin"], f"/dashboard/{cafe.tenant_id}/campaigns?tab=audiences")

    page.get_by_role("link", name="New segment").click()
    expect(page.get_by_text("people would get a campaign, of 4 who match")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Regulars")
    page.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_text("Have the tag Regular")).to_be_visible()

    page.get_by_role("tab", name="Campaigns").click()
    page.get_by_role("button", name="New campaign").click()
    page.get_by_label("Name", exact=True).fill("Order is ready")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name=re.compile("^order_ready")).click()
    number = page.get_by_role("checkbox", name=re.compile("1001"))
    number.click()
    expect(number).to_be_checked()
    page.get_by_role("button", name="On to the audience").click()
    page.get_by_role("radio", name=re.compile("^A segment")).click()
    expect(page.get_by_text("people can get it, of 4 in the audience")).to_be_visible()
    page.get_by_role("button", name="On to the variables").click()

    page.get_by_label("Text of Text: {{2}}").fill("BB-7")
    page.get_by_label("Text of Text: {{2}}").blur()
    page.get_by_label("Preview for anyone").fill("Mei")
    page.get_by_role("button", name=re.compile("^Mei Tanaka")).click()
    phone = page.get_by_role("img", name="How the message looks on a phone")
    expect(phone).to_contain_text("Hi Mei, your order BB-7 is ready.")
    page.get_by_role("button", name="On to the time").click()
    page.get_by_role("button", name="On to the plan").click()
    expect(page.get_by_role("heading", name="The plan")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Delivered messages only")).to_be_visible()
    page.get_by_role("button", name="Launch").click()

    expect(page.get_by_text("4 of 4 written to")).to_be_visible(timeout=90_000)
    delivered = page.get_by_text("Delivered", exact=True).first.locator("..")
    expect(delivered).to_contain_text("4", timeout=60_000)
    received = texts_of(site, "Amara Okafor")
    assert received.count("Hi Amara, your order BB-7 is ready.") == 1
    site.says("Jonas Weber", "On my way")
    expect(page.get_by_text("Answered", exact=True).first.locator("..")).to_contain_text(
        "1", timeout=60_000
    )
    expect(page.get_by_role("row").filter(has_text="Jonas Weber")).to_contain_text("Answered")


def test_a_campaign_is_paused_resumed_and_cancelled_on_a_phone(
    open_page: OpenPage, site: Site, cafe: Place
) -> None:
    for index in range(12):
        contact_of(cafe, f"Guest {index}", f"49151555002{index:02d}")
    template_id = until(lambda: template_of(cafe, "hello_world"), what="the templates")
    with cafe.work("admin") as ctx:
        number = next(one for one in channels.numbers(ctx) if one.phone_number_id == NUMBER)
        draft = CampaignDraft(
            "Slow hello",
            Audience(),
            [Variant(template_id)],
            [number.id],
            most_per_minute=1,
        )
        campaign_id = service.create(ctx, draft).id
        service.launch(ctx, campaign_id)
    page = open_page(width=390)
    enter(page, site, cafe.emails["admin"], f"/dashboard/{cafe.tenant_id}/campaigns/{campaign_id}")
    page.get_by_role("button", name="Pause").click(timeout=60_000)
    expect(page.get_by_text("Paused", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Sending", exact=True).first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the campaign").click()
    expect(page.get_by_text("Cancelled", exact=True).first).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Guest 11")
    expect(row).to_contain_text("Taken back", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def template_of(place: Place, name: str):
    with place.work("admin") as ctx:
        found = [one.id for one in templates.templates(ctx, status="APPROVED") if one.name == name]
    return found[0] if found else None


def texts_of(site: Site, name: str) -> str:
    """Everything that stands in someone's chat with the café."""
    path = f"people/{site.person(name)}/chats/{NUMBER}/messages"
    return site.whatsapp("GET", path).text
