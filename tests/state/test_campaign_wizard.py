"""The wizard of a campaign: a draft that a program wrote is shown, and kept as it was meant."""

from collections.abc import Callable

from aerostic.domain.audiences import filters
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import queries, service
from aerostic.state.campaign_wizard import CampaignWizard
from tests.campaigns.running import campaign, people
from tests.conftest import Place
from tests.state.conftest import OpenTab
from workers.campaigns import drive

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


def test_only_who_may_see_the_wallet_sees_what_is_in_it_beside_what_is_missing(
    make_place: Callable[..., Place], open_tab: OpenTab, signed_in: SignsIn
) -> None:
    place = make_place("Bluebird Café", funds=54_300)
    people(place, 1)
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    drive(place.tenant_id, campaign_id)
    page = f"/dashboard/{place.tenant_id}/campaigns/{campaign_id}/edit"
    shown = {}
    for role in ("admin", "owner"):
        tab = open_tab(page, cookie=signed_in(place, role))
        tab.hydrate()
        shown[role] = tab.call(f"{WIZARD}.make_plan")
    assert all("0.0822" in told for told in shown.values())
    assert ("0.0543" in shown["admin"], "0.0543" in shown["owner"]) == (False, True)
