"""What a screen or a program is shown of audiences. Frozen, free of tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aerostic.domain.audiences.filters import Filter
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.contacts.models import ImportStatus


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A saved segment. `problem` says what it is about that is not there any more."""

    id: UUID
    name: str
    filter: Filter
    words: str  # the filter as a sentence
    problem: str
    created_by_name: str
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ListView:
    """An uploaded list, as far as its file has come in."""

    id: UUID
    name: str
    import_id: UUID
    columns: tuple[str, ...]
    members: int
    status: ImportStatus
    rows_total: int
    rows_done: int
    rows_refused: int
    created_by_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """An audience counted: who is there, and who of them is left alone for which reason."""

    total: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def reachable(self) -> int:
        return self.total - sum(self.left_out.values())


@dataclass(frozen=True, slots=True)
class Someone:
    """One person of an audience. `left_out` says why they are not written to, or is empty."""

    id: UUID
    name: str
    phone: str
    country: str
    left_out: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One decision of someone, and how we know."""

    id: UUID
    contact_id: UUID
    contact_name: str
    decision: Decision
    source: ConsentSource
    word: str
    actor_name: str
    occurred_at: datetime
