"""Use and analytics over HTTP."""

from datetime import UTC, datetime

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.usage import folding
from aerostic.domain.usage.models import UsageEvent, UsageKind
from tests.clients import member

FOLDER = system("usage", Permission.METRICS_FOLD)
NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}


def test_use_by_day_and_in_all(place):
    with place.system_work() as ctx:
        event = UsageEvent(
            kind=UsageKind.AI_AGENT_CALL,
            quantity=900,
            cost_micros=75,
            occurred_at=datetime(2026, 11, 16, 9, tzinfo=UTC),
        )
        ctx.session.add(event)
    with unit_of_work(place.tenant_id, FOLDER) as ctx:
        folding.fold(ctx)
    answer = member(place, "admin").get("/api/v1/usage", params=NOVEMBER).json()
    used = {"kind": "ai_agent_call", "events": 1, "quantity": 900, "cost_micros": 75}
    assert answer["days"] == [used | {"day": "2026-11-16"}]
    assert used in answer["totals"]
    assert len(answer["totals"]) == 4
    assert answer["counted_at"]


def test_a_report_has_every_day_and_its_files_are_named(place):
    client = member(place, "admin")
    answer = client.get("/api/v1/analytics", params=NOVEMBER).json()
    assert len(answer["days"]) == 30
    assert answer["now"]["first_response"] is None
    file = client.get("/api/v1/analytics/csv", params=NOVEMBER | {"table": "people"})
    assert file.headers["content-disposition"] == (
        'attachment; filename="people-2026-11-01-2026-11-30.csv"'
    )
    assert file.text.startswith("Name,Messages,")


def test_days_that_make_no_sense_are_refused_in_words(place):
    client = member(place, "admin")
    backwards = {"since": "2026-11-30", "until": "2026-11-01"}
    for path in ("usage", "analytics"):
        answer = client.get(f"/api/v1/{path}", params=backwards)
        assert answer.status_code == 422
        assert answer.json()["detail"] == "The last day lies before the first one."
