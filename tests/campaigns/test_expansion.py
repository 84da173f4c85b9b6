"""An audience is written down in slices, while people come and go."""

import pytest
from sqlalchemy import event

from aerostic.core import database
from aerostic.domain.audiences.filters import Audience, Country
from aerostic.domain.campaigns import expansion
from aerostic.domain.contacts.models import Contact
from tests.campaigns.running import change, driven, launched, people, recipients, states


@pytest.fixture
def after_a_slice():
    """Runs what it is given once, right after the first slice was written."""
    waiting = []

    def written(_connection, _cursor, statement, *_):
        if "INSERT INTO campaign_recipients" in statement and waiting:
            waiting.pop()()

    event.listen(database.engine(), "after_cursor_execute", written)
    yield waiting.append
    event.remove(database.engine(), "after_cursor_execute", written)


def test_nobody_is_lost_when_somebody_leaves_the_audience_between_slices(
    place, monkeypatch, after_a_slice
):
    monkeypatch.setattr(expansion, "AT_A_TIME", 3)
    ids = people(place, 7, country="DE")
    after_a_slice(lambda: change(place, Contact, ids[0], country="FR"))
    campaign_id = launched(place, audience=Audience(filter=Country(codes=("DE",))))
    driven(place, campaign_id)
    assert {one.contact_id for one in recipients(place, campaign_id)} == set(ids)
    assert states(place, campaign_id) == {"queued": 7}
