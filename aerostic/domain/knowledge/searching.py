"""Finding the passages that speak of a question: by their words, and by vectors where there are any.

Each way gives an order; a passage that is near the front in both comes first (reciprocal rank fusion,
Cormack et al. 2009). A search reads the passages of the asked bases only: tens of milliseconds for tens of
thousands, which no index under row security would make fewer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from aerostic.core.tenancy import Context
from aerostic.domain.knowledge.likeness import coverage, query_for_postgres, words

MOST_ASKED_WORDS = 16
CONSIDERED = 40
FUSION = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and where it stands. `score`: how much of the question its words speak of, 0 to 1."""

    passage_id: UUID
    document_id: UUID
    document: str
    url: str
    place: str
    text: str
    score: float
    nearness: float | None = None  # of the vectors, 0 to 1

    @property
    def source(self) -> str:
        return f"{self.document}, {self.place}" if self.place else self.document


def find(
    ctx: Context,
    base_ids: Sequence[UUID],
    question: str,
    *,
    vector: Sequence[float] | None = None,
    limit: int = 5,
) -> list[Found]:
    """The best passages of these bases, best first; nothing where none shares anything with it."""
    asked = list(dict.fromkeys(words(question)))[:MOST_ASKED_WORDS]
    shared: dict[str, Any] = {
        "tenant": ctx.tenant_id,
        "bases": list(base_ids),
        "limit": CONSIDERED,
    }
    by_words = _by_words(ctx, shared, asked) if asked and base_ids else []
    by_vector = _by_vector(ctx, shared, vector) if vector and has_vectors(ctx) else []
    nearness = {row.id: float(row.nearness) for row in by_vector}
    rows = {row.id: row for row in (*by_words, *by_vector)}
    rarity = _rarity(ctx, shared, asked) if rows else {}
    scores = {key: coverage(asked, row.text, rarity) for key, row in rows.items()}
    in_words = sorted((row.id for row in by_words), key=lambda key: -scores[key])
    ranks = _fused(in_words, [row.id for row in by_vector])
    return [
        Found(
            passage_id=row.id,
            document_id=row.document_id,
            document=row.name,
            url=row.url,
            place=row.place,
            text=row.text,
            score=round(scores[row.id], 3),
            nearness=nearness.get(row.id),
        )
        for row in sorted(rows.values(), key=lambda row: -ranks[row.id])[:limit]
    ]


def _fused(*orders: Sequence[UUID]) -> dict[UUID, float]:
    ranks: dict[UUID, float] = {}
    for order in orders:
        for at, key in enumerate(order):
            ranks[key] = ranks.get(key, 0.0) + 1 / (FUSION + at)
    return ranks


def has_vectors(ctx: Context) -> bool:
    """Whether this PostgreSQL has pgvector."""
    return bool(ctx.session.scalar(text("select to_regtype('vector') is not null")))


_COLUMNS = "p.id, p.document_id, d.name, d.url, p.place, p.text"
_FROM = """from knowledge_passages p
    join knowledge_documents d on d.tenant_id = p.tenant_id and d.id = p.document_id
    where p.tenant_id = :tenant and p.base_id = any(:bases)"""


def _by_words(ctx: Context, shared: dict[str, Any], asked: Sequence[str]) -> list[Any]:
    statement = f"""select {_COLUMNS} {_FROM} and p.words @@ to_tsquery('simple', :query)
        order by ts_rank_cd(p.words, to_tsquery('simple', :query), 1) desc, p.id limit :limit"""
    given = {**shared, "query": query_for_postgres(asked)}
    return list(ctx.session.execute(text(statement), given))


def _by_vector(ctx: Context, shared: dict[str, Any], vector: Sequence[float]) -> list[Any]:
    statement = f"""select {_COLUMNS}, 1 - (p.vector::vector <=> cast(:vector as real[])::vector) nearness
        {_FROM} and p.vector is not null order by nearness desc, p.id limit :limit"""
    given = {**shared, "vector": list(vector)}
    return list(ctx.session.execute(text(statement), given))


def _rarity(ctx: Context, shared: dict[str, Any], asked: Sequence[str]) -> dict[str, float]:
    """How much each word tells: the fewer passages have it, the more."""
    counts = ", ".join(
        f"count(*) filter (where p.words @@ to_tsquery('simple', :w{at}))"
        for at in range(len(asked))
    )
    given = {f"w{at}": query_for_postgres([word]) for at, word in enumerate(asked)}
    statement = text(f"select count(*), {counts or '0'} {_FROM}")
    row = ctx.session.execute(statement, {**shared, **given}).one()
    whole = int(row[0])
    return {
        word: math.log((1 + whole) / (1 + int(row[at + 1]))) + 1 for at, word in enumerate(asked)
    }
