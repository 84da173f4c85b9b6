"""The only ways to a row of this feature: what is another tenant's does not exist.

Called by functions that stand behind a permission of their own.
"""

from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.tenancy import Context
from aerostic.domain.automation.exchange import WorkflowFile
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Workflow, WorkflowVersion


def access_workflow(ctx: Context, workflow_id: UUID, *, for_update: bool = False) -> Workflow:
    """Raises NotFound."""
    found = ctx.get(Workflow, workflow_id, for_update=for_update)
    if found is None:
        raise NotFound("That workflow no longer exists.")
    return found


def access_version(ctx: Context, workflow_id: UUID, number: int) -> WorkflowVersion:
    """A published version by its number. Raises NotFound."""
    wanted = select(WorkflowVersion).where(
        col(WorkflowVersion.tenant_id) == ctx.tenant_id,
        col(WorkflowVersion.workflow_id) == workflow_id,
        col(WorkflowVersion.number) == number,
    )
    found = ctx.session.exec(wanted).first()
    if found is None:
        raise NotFound("This workflow has no version of that number.")
    return found


def file_of(workflow: Workflow) -> WorkflowFile:
    """A workflow's draft and settings, apart from its row."""
    return WorkflowFile(
        name=workflow.name,
        description=workflow.description,
        webhook_waits=workflow.webhook_waits,
        webhook_rate=workflow.webhook_rate,
        graph=Graph.model_validate(workflow.draft),
    )
