"""Open pages hear what changed: theirs, at once, together, and no longer than they may."""

from collections.abc import Callable

from sqlmodel import col, delete

from aerostic.core import queue
from aerostic.core.permissions import STRANGER, Role
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import Membership
from aerostic.domain.inbox import service as inbox
from aerostic.domain.tenants import service
from aerostic.state.team import Team
from tests.builders import conversation_of
from tests.conftest import Place
from tests.state.conftest import OpenTab
from tests.waiting import until

SignsIn = Callable[[Place, str], str]


def team_of(place: Place) -> str:
    return f"/dashboard/{place.tenant_id}/team"


def test_an_open_page_shows_a_change_without_asking(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    agent = open_tab(team_of(place), cookie=signed_in(place, "agent")).hydrated()
    stranger = open_tab(team_of(rival), cookie=signed_in(rival, "owner")).hydrated()
    with place.work() as ctx:
        service.invite(ctx, "soon@example.test", Role.AGENT)
    assert "soon@example.test" in agent.hear("soon@example.test")
    assert "soon@example.test" not in stranger.call(f"{Team.get_full_name()}.close")


def test_whoever_was_removed_hears_no_more(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    agent = open_tab(team_of(place), cookie=signed_in(place, "agent")).hydrated()
    owner = open_tab(team_of(place), cookie=signed_in(place, "owner")).hydrated()
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(delete(Membership).where(col(Membership.user_id) == place.agent_id))
    until(
        lambda: "/404" in agent.call(f"{Team.get_full_name()}.load"),
        what="the removal to be noticed",
    )
    with place.work() as ctx:
        service.invite(ctx, "secret@example.test", Role.AGENT)
    owner.hear("secret@example.test")
    assert "secret@example.test" not in agent.call(f"{Team.get_full_name()}.load")


def test_a_token_taken_over_hears_nothing_of_the_one_before(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    victim = open_tab(team_of(place), cookie=signed_in(place, "agent")).hydrated()
    owner = open_tab(team_of(place), cookie=signed_in(place, "owner")).hydrated()
    victim.close()
    thief = open_tab(team_of(place), token=victim.token)
    with place.work() as ctx:
        service.invite(ctx, "secret@example.test", Role.AGENT)
    owner.hear("secret@example.test")
    assert "secret@example.test" not in thief.call(f"{Team.get_full_name()}.close")


def test_pages_hear_again_after_redis_dropped_the_subscription(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    agent = open_tab(team_of(place), cookie=signed_in(place, "agent")).hydrated()
    queue.connection().client_kill_filter(_type="pubsub")
    with place.work() as ctx:
        service.invite(ctx, "after@example.test", Role.AGENT)
    assert "after@example.test" in agent.hear("after@example.test", seconds=15)


def test_pages_that_read_together_each_show_their_own(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    """One reading serves all pages of equal rights; whose conversation it is stays each one's own."""
    conversation = conversation_of(place, "Ada")
    theirs = conversation_of(rival, "Rosa")
    agent = open_tab(inbox_of(place), cookie=signed_in(place, "agent")).hydrated()
    owner = open_tab(inbox_of(place), cookie=signed_in(place, "owner")).hydrated()
    stranger = open_tab(inbox_of(rival), cookie=signed_in(rival, "agent")).hydrated()
    with place.work() as ctx:
        inbox.assign(ctx, conversation, place.agent_id)
    assert '"mine":"1"' in agent.hear(str(conversation))
    assert '"mine":"0"' in owner.hear(str(conversation))
    with rival.work() as ctx:
        inbox.assign(ctx, theirs, rival.agent_id)
    heard = stranger.hear(str(theirs))
    assert '"mine":"1"' in heard
    assert str(conversation) not in heard


def inbox_of(place: Place) -> str:
    return f"/dashboard/{place.tenant_id}/inbox"
