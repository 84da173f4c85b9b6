"""Use is added up by day, each event once, however late it is committed."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from aerostic.core.ids import first_id_at
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.identity.models import Tenant
from aerostic.domain.usage import folding, queries, sums
from aerostic.domain.usage.models import UsageEvent, UsageKind
from aerostic.domain.usage.queries import Used
from aerostic.domain.usage.recording import record
from tests.conftest import Place

MESSAGES, TOKENS, STORED = (
    UsageKind.OUTGOING_MESSAGE,
    UsageKind.AI_AGENT_CALL,
    UsageKind.DOCUMENT_STORAGE,
)
FOLDER = system("usage", Permission.METRICS_FOLD)
DAY = timedelta(days=1)


def fold(place: Place) -> bool:
    with unit_of_work(place.tenant_id, FOLDER) as ctx:
        return folding.fold(ctx)


def use(place: Place, kind: UsageKind, quantity: int, cost: int = 0) -> None:
    with place.system_work() as ctx:
        record(ctx, kind, quantity, cost_micros=cost)


def totals(place: Place) -> dict[UsageKind, tuple[int, int, int]]:
    with place.work("admin") as ctx:
        found = queries.usage(ctx, ctx.now.date() - 40 * DAY, ctx.now.date() + DAY)
    return {
        one.kind: (one.events, one.quantity, one.cost_micros) for one in found.totals if one.events
    }


def sum_now(place: Place, kind: UsageKind) -> int:
    with place.system_work() as ctx:
        return sums.this_month(ctx, kind)


def test_every_event_is_added_once_and_no_other_tenants(place, rival):
    use(place, MESSAGES, 1)
    use(place, MESSAGES, 1)
    use(place, TOKENS, 900, cost=75)
    use(rival, TOKENS, 7)
    for _ in range(3):
        assert fold(place)
    assert totals(place) == {MESSAGES: (2, 2, 0), TOKENS: (1, 900, 75)}
    assert totals(rival) == {}
    fold(rival)
    assert totals(rival) == {TOKENS: (1, 7, 0)}


def test_an_event_that_is_committed_late_is_not_lost(place):
    """Its id and its moment are older than what was folded before it was there."""
    with place.system_work() as slow:
        record(slow, MESSAGES, 1)
        slow.session.flush()
        use(place, MESSAGES, 10)
        fold(place)
        assert sum_now(place, MESSAGES) == 10  # the tail is read until the slow one has ended
    assert sum_now(place, MESSAGES) == 11
    fold(place)
    fold(place)
    assert totals(place) == {MESSAGES: (2, 11, 0)}
    assert sum_now(place, MESSAGES) == 11


def test_what_is_rolled_back_was_never_used(place):
    with pytest.raises(RuntimeError), place.system_work() as ctx:
        record(ctx, MESSAGES, 5)
        ctx.session.flush()
        raise RuntimeError
    fold(place)
    assert totals(place) == {}


def test_two_workers_at_once_add_nothing_twice(place):
    for _ in range(20):
        use(place, MESSAGES, 1)
    together = [threading.Thread(target=fold, args=(place,)) for _ in range(4)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    fold(place)
    assert totals(place) == {MESSAGES: (20, 20, 0)}


def test_a_fold_that_fails_leaves_all_for_the_next(place):
    use(place, MESSAGES, 3)
    with pytest.raises(RuntimeError), unit_of_work(place.tenant_id, FOLDER) as ctx:
        folding.fold(ctx)
        raise RuntimeError
    assert totals(place) == {}
    fold(place)
    assert totals(place) == {MESSAGES: (1, 3, 0)}


def test_the_day_is_the_workspaces(place):
    with place.system_work() as ctx:
        tenant = ctx.session.get_one(Tenant, place.tenant_id)
        tenant.time_zone = "Pacific/Auckland"
        event = UsageEvent(
            kind=MESSAGES, quantity=1, occurred_at=datetime(2026, 11, 3, 12, 30, tzinfo=UTC)
        )
        ctx.session.add(event)
    fold(place)
    with place.work("admin") as ctx:
        found = queries.usage(ctx, date(2026, 11, 1), date(2026, 11, 30))
    assert [one.day for one in found.days] == [date(2026, 11, 4)]
    assert datetime(2026, 11, 3, 12, 30, tzinfo=UTC).astimezone(
        ZoneInfo("Pacific/Auckland")
    ).date() == date(2026, 11, 4)


def test_the_month_so_far_needs_no_fold_and_storage_may_shrink(place, rival):
    use(place, STORED, 5_000)
    assert sum_now(place, STORED) == 5_000
    fold(place)
    use(place, STORED, -2_000)
    assert sum_now(place, STORED) == 3_000
    with place.system_work() as ctx:
        old = UsageEvent(kind=STORED, quantity=100, occurred_at=ctx.now - 60 * DAY)
        ctx.session.add(old)
    assert sum_now(place, STORED) == 3_000
    with place.system_work() as ctx:
        assert sums.ever(ctx, STORED) == 3_100
    assert sum_now(rival, STORED) == 0


def test_a_database_restored_from_a_dump_is_counted_anew_and_nothing_twice(place):
    """Its transactions are numbered from the beginning again; what it brought is numbered ahead."""
    use(place, MESSAGES, 4)
    with place.system_work() as ctx:
        ctx.session.flush()
        ctx.cursor().execute(
            "insert into usage_events (tenant_id, id, kind, quantity, cost_micros, details,"
            " occurred_at, written_in) select tenant_id, %s, kind, 6, 0, '{}',"
            " occurred_at, 1::bigint << 40 from usage_events where tenant_id = %s",
            (first_id_at(ctx.now - DAY), place.tenant_id),
        )
        ctx.cursor().execute(
            "insert into usage_watermarks values (%s, (1::bigint << 40) + 1, %s, now())",
            (place.tenant_id, "00000000-0000-0000-0000-000000000000"),
        )
    fold(place)
    assert totals(place) == {MESSAGES: (2, 10, 0)}
    assert sum_now(place, MESSAGES) == 10
    use(place, MESSAGES, 1)
    fold(place)
    fold(place)
    assert totals(place) == {MESSAGES: (3, 11, 0)}


def test_nothing_used_is_zero_of_each_kind(place):
    with place.work("admin") as ctx:
        found = queries.usage(ctx, ctx.now.date(), ctx.now.date())
        assert found.days == ()
        assert found.counted_at is None
        assert found.totals == tuple(Used(kind, 0, 0, 0) for kind in UsageKind)


def test_the_app_can_neither_change_an_event_nor_name_its_transaction_later(place):
    use(place, MESSAGES, 1)
    with pytest.raises(Exception, match="permission denied"), place.system_work() as ctx:
        ctx.session.execute(text("update usage_events set written_in = 0"))
