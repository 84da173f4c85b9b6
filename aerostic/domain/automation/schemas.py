"""What a screen or a program is shown of workflows, and what they hand in. Frozen, free of tables."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from aerostic.domain.automation.graph import Graph


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the linter saw. An error keeps a workflow from being published.

    `node_id` is empty for the workflow as a whole; `field` is a path into its settings, as `rows.0.name`.
    `page` is where in the workspace it is put right, if not in the workflow itself.
    """

    severity: Severity
    sentence: str
    node_id: str = ""
    field: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which workflows: every part narrows. What was archived is asked for alone."""

    text: str = ""
    is_enabled: bool | None = None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow in a list. `kinds` are the kinds of its triggers as drafted, in their order."""

    id: UUID
    name: str
    description: str
    is_enabled: bool
    published_number: int | None
    has_changes: bool  # the draft differs from what is published
    saved_at: datetime
    saved_by_name: str
    kinds: tuple[str, ...]
    is_archived: bool


@dataclass(frozen=True, slots=True)
class VersionRow:
    number: int
    note: str
    published_at: datetime
    published_by_name: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class VersionDetail:
    row: VersionRow
    graph: Graph


@dataclass(frozen=True, slots=True)
class WorkflowDetail:
    """A workflow as its editor needs it. A save names `revision`."""

    row: WorkflowRow
    draft: Graph
    revision: int
    versions: tuple[VersionRow, ...]
    webhook_waits: bool
    webhook_rate: int
    created_at: datetime
