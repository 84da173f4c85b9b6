"""The page of a campaign: who approves there approves what the page shows."""

from collections.abc import Callable

from aerostic.domain.campaigns import service
from aerostic.domain.campaigns.models import CampaignStatus
from aerostic.state.campaign import CampaignPage
from tests.campaigns.running import draft, launched, look, people, the_template
from tests.conftest import Place
from tests.state.conftest import OpenTab

SignsIn = Callable[[Place, str], str]
PAGE = CampaignPage.get_full_name()


def test_a_page_that_shows_an_older_campaign_does_not_approve_the_new_one(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    people(place, 1)
    campaign_id = launched(place, needs_approval=True)
    page = f"/dashboard/{place.tenant_id}/campaigns/{campaign_id}"
    tab = open_tab(page, cookie=signed_in(place, "owner"))
    tab.hydrate()
    other = draft(place, the_template(place), name="Other", needs_approval=True)
    with place.work("admin") as ctx:
        service.update(ctx, campaign_id, other, revision=0)
        service.launch(ctx, campaign_id)
    assert "changed meanwhile" in tab.call(f"{PAGE}.approve")
    assert look(place, campaign_id).status == CampaignStatus.AWAITING_APPROVAL
    tab.call(f"{PAGE}.approve")  # the refusal has shown the new one
    assert look(place, campaign_id).status == CampaignStatus.PREPARING
