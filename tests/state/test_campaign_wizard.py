"""The wizard of a campaign: a draft that a program wrote is shown, and kept as it was meant."""

from collections.abc import Callable

from aerostic.domain.audiences import filters
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import queries
from aerostic.state.campaign_wizard import CampaignWizard
from tests.campaigns.running import campaign
from tests.conftest import Place
from tests.state.conftest import OpenTab

SignsIn = Callable[[Place, str], str]
WIZARD = CampaignWizard.get_full_name()


def test_conditions_without_a_form_are_kept_and_never_become_everyone(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    wanted = Audience(filter=filters.read({"kind": "country", "codes": ["DE"]}))
    campaign_id = campaign(place, audience=wanted)
    page = f"/dashboard/{place.tenant_id}/campaigns/{campaign_id}/edit"
    tab = open_tab(page, cookie=signed_in(place, "admin"))
    assert '"filter"' in tab.hydrate()
    tab.call(f"{WIZARD}.go", {"step": "audience"})
    tab.call(f"{WIZARD}.rename", {"name": "Autumn in Germany"})
    with place.work() as ctx:
        kept = queries.campaign(ctx, campaign_id)
    assert (kept.name, kept.audience) == ("Autumn in Germany", wanted)
