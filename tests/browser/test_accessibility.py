"""No page has a serious fault for those who need help to read it: wide in the light, narrow in the dark."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from aerostic.core.permissions import STRANGER, PlatformRole
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import User
from aerostic.domain.knowledge import service as knowledge
from tests.ai.agents import agent_of
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.builders import contact_of, conversation_of, inbound, outbound
from tests.conftest import Place

SIGNED_OUT = ("/", "/login", "/register", "/forgot-password", "/accept-invite?token=x", "/404",
              "/simulator")  # fmt: skip
SIGNED_IN = ("team", "settings", "settings?tab=workspace", "settings?tab=labels", "inbox",
             "settings?tab=replies", "settings?tab=profile", "contacts", "contacts/import",
             "billing")  # fmt: skip
STAFF = ("/second-factor", "/dashboard", "/admin/deliveries")

LOOKS = [(1440, "light"), (390, "dark")]  # what a width hides is hidden in both schemes


def test_no_page_of_a_stranger_has_a_serious_fault(page: Page, site: Site) -> None:
    assert [fault for path in SIGNED_OUT for fault in _faults(page, site.url + path)] == []


def test_no_page_of_a_member_has_a_serious_fault(page: Page, site: Site, place: Place) -> None:
    inside = f"/dashboard/{place.tenant_id}/"
    contact_id = contact_of(place, "Jonas Weber", "4915155500199")
    conversation_id = conversation_of(place, contact_id=contact_id)
    inbound(place, conversation_id, "Guten Tag!")
    outbound(place, conversation_id, "Good morning, Jonas")
    enter(page, site, place.emails["owner"], f"{inside}team")
    with place.system_work() as ctx:
        base_id = knowledge.create_base(ctx, "Shop").id
    assistant = f"ai/{agent_of(place, base_ids=[base_id])}"
    tabs = [f"{assistant}?tab={tab}" for tab in ("agent", "examples", "trial", "log")]
    more = ["ai", *tabs, "knowledge", f"knowledge/{base_id}"]
    paths = [*SIGNED_IN, *more, f"contacts/{contact_id}", f"inbox?c={conversation_id}"]
    assert [fault for path in paths for fault in _faults(page, site.url + inside + path)] == []


def test_no_page_of_the_staff_has_a_serious_fault(page: Page, site: Site, make_place) -> None:
    staff = make_place("Platform")
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, staff.owner_id).platform_role = PlatformRole.PLATFORM_ADMIN
    enter(page, site, staff.emails["owner"], "/admin/deliveries")
    assert [fault for path in STAFF for fault in _faults(page, site.url + path)] == []


def _faults(page: Page, url: str) -> list[str]:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-label=Loading]")).to_have_count(0)
    return [fault for width, scheme in LOOKS for fault in _faults_at(page, width, scheme)]


def _faults_at(page: Page, width: int, scheme: str) -> list[str]:
    """The page as it is open, at another width and in other colours."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(page.locator(f"html.{scheme}")).to_have_count(1)
    page.wait_for_function("!document.getAnimations().some((one) => one instanceof CSSTransition)")
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} at {width}, {scheme}: {one['id']}: "
        f"{[(node['html'][:160], node['failureSummary']) for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
