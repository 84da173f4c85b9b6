"""The demo's own workflow: its file is read, published, and leaves triggers like any other."""

from sqlmodel import col, select

from aerostic.core.permissions import Role, member
from aerostic.domain.automation import queries
from aerostic.domain.automation.models import WorkflowTrigger
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from aerostic.domain.demo import seed


def test_the_demos_workflow_is_sound_and_runs(place, rival):
    owner = member(place.owner_id, "Owner", Role.OWNER)
    seed._automate(seed.Workspace(place.tenant_id, owner))
    with place.work() as ctx:
        (row,) = queries.workflows(ctx).items
        assert (row.name, row.is_enabled, row.published_number) == (
            "Menu and order status",
            True,
            1,
        )
        assert queries.findings(ctx, row.id) == []
        kinds = select(WorkflowTrigger.kind).order_by(col(WorkflowTrigger.kind))
        assert list(ctx.session.exec(kinds)) == ["trigger.keyword", "trigger.keyword"]
        assert [one.mode for one in ctx.session.exec(select(PhoneNumber))] == [
            NumberMode.AUTOMATION
        ]
    with rival.work() as ctx:
        assert queries.workflows(ctx).items == []
        assert [one.mode for one in ctx.session.exec(select(PhoneNumber))] == [NumberMode.PERSON]
