"""A template from the first word to the customer's telephone."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Site
from tests.browser.people import enter
from tests.conftest import Place
from tests.simulator.conftest import NUMBER
from tests.templates.conftest import PNG

PICTURE = {"name": "cake.png", "mimeType": "image/png", "buffer": PNG}


def test_a_template_is_built_approved_and_sent(
    site: Site, cafe: Place, open_page: OpenPage
) -> None:
    admin = open_page()
    enter(admin, site, cafe.emails["admin"], f"/dashboard/{cafe.tenant_id}/templates")
    admin.get_by_role("button", name="New template").click()
    admin.get_by_label("Name", exact=True).fill("Cake Day")
    admin.get_by_role("dialog").get_by_label("Account").select_option(label="Bluebird Café")
    admin.get_by_role("button", name="Begin").click()
    expect(admin.get_by_text("A name may hold small letters")).to_be_visible()
    admin.get_by_label("Name", exact=True).fill("cake_day")
    admin.get_by_role("button", name="Begin").click()

    admin.get_by_role("group", name="Kind of header").get_by_role("button", name="Image").click()
    admin.get_by_label("The image: a sample for Meta’s review").set_input_files(files=[PICTURE])
    expect(admin.get_by_text("Uploaded.")).to_be_visible()
    admin.get_by_label("Text", exact=True).fill("Dear {{1}}, today we baked {{2}} for you all.")
    admin.get_by_role("button", name="+ Quick reply").click()
    admin.get_by_label("What it says").fill("Keep me one")
    phone = admin.get_by_role("img", name="How the message will look on a phone")
    expect(phone).to_contain_text("Keep me one")
    admin.get_by_role("button", name="Submit for review").click()
    expect(admin.get_by_role("alert").get_by_text("Give an example for {{2}}")).to_be_visible()
    admin.get_by_label("Example for {{1}}").fill("Ada")
    admin.get_by_label("Example for {{2}}").fill("a lemon cake")
    expect(phone).to_contain_text("Dear Ada, today we baked a lemon cake for you all.")
    expect(admin.get_by_text("Nothing that Meta would refuse at once.")).to_be_visible()
    admin.get_by_role("button", name="Submit for review").click()
    expect(admin.get_by_text("In review", exact=True)).to_be_visible()

    (there,) = [
        one
        for one in site.whatsapp("GET", "templates").json()["templates"]
        if one["name"] == "cake_day"
    ]
    site.whatsapp("POST", f"templates/{there['id']}/approve")
    expect(admin.get_by_text("Approved", exact=True)).to_be_visible()  # nobody loaded anything

    site.says("Mei Tanaka", "Any cake today?")
    agent = open_page()
    enter(agent, site, cafe.emails["agent"], f"/dashboard/{cafe.tenant_id}/inbox")
    agent.get_by_role("list", name="Conversations").get_by_role("button", name="Mei Tanaka").click()
    agent.get_by_role("button", name="Attach").click()
    agent.get_by_role("button", name="Template").click()
    agent.get_by_role("button", name="cake_day").click()
    agent.get_by_label("Picture at the top").set_input_files(files=[PICTURE])
    expect(agent.get_by_text("Uploaded.")).to_be_visible()
    agent.get_by_label("Text: 1").fill("Mei")
    agent.get_by_label("Text: 2").fill("plum cake")
    agent.get_by_role("dialog").get_by_role("button", name="Send").click()
    sent = agent.get_by_role("article").filter(has_text="Dear Mei, today we baked plum cake")
    expect(sent.get_by_role("img", name="Delivered")).to_be_visible()
    path = f"people/{site.person('Mei Tanaka')}/chats/{NUMBER}/messages"
    seen = site.whatsapp("GET", path).json()["messages"][-1]["content"]["seen"]
    assert (seen["body"], seen["header"]["type"], seen["buttons"][0]["text"]) == (
        "Dear Mei, today we baked plum cake for you all.", "image", "Keep me one",
    )  # fmt: skip
