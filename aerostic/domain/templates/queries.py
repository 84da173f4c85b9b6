"""Look at templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, tuple_
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.ids import first_id_at, moment_of
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import WhatsappAccount
from aerostic.domain.templates import checks, standing
from aerostic.domain.templates.checks import Problem
from aerostic.domain.templates.definition import Definition
from aerostic.domain.templates.gaps import Gap, gaps
from aerostic.domain.templates.models import Template, TemplateEvent, TemplateStatus

APPROVED = TemplateStatus.APPROVED.value
PAGE = 25
RECENT = timedelta(days=30)
HISTORY = 50
# The inbox imports templates, so its table is asked by name. Messages are the rows; nothing else counts.
_USES = (
    "select template_id, count(*) from messages where tenant_id = %(tenant)s "
    "and template_id = any(%(ids)s) and id >= %(since)s group by template_id"
)
_LAST_USE = (
    "select id from messages where tenant_id = %(tenant)s and template_id = %(id)s "
    "order by id desc limit 1"
)
_TEXTS = cast("$.**.text", JSONPATH)
_PATTERN_SIGNS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """Which templates; each left out means all. Deleted ones are shown only when asked for."""

    search: str = ""
    status: str = ""
    category: str = ""
    language: str = ""
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One language of a template, as a list shows it. `uses`: messages of the last 30 days."""

    id: UUID
    language: str
    category: str
    status: str
    quality: str
    note: str
    has_draft: bool
    uses: int


@dataclass(frozen=True, slots=True)
class TemplateGroup:
    """All languages of one name in one account."""

    name: str
    account_id: UUID
    account_name: str
    body: str
    variants: list[Variant]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    kind: str
    words: str
    actor_name: str
    is_harm: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Uses:
    """Messages that were sent with it in the last 30 days, and the last one ever."""

    recent: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateDetail:
    """All about one template. `problems`: what Meta would refuse about `definition` now."""

    template: Template
    account_name: str
    definition: Definition
    problems: list[Problem]
    gaps: list[Gap]
    why_not_written: str
    siblings: list[Variant]
    uses: Uses
    history: list[HistoryLine]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many templates stand how, for the head of the list."""

    total: int
    harmed: int


@requires(Permission.TEMPLATES_READ)
def templates(
    ctx: Context, *, account_id: UUID | None = None, status: str | None = None
) -> list[Template]:
    """What Meta has, by name, for choosing one. An account has at most 6,000, so this is one list."""
    statement = (
        select(Template)
        .where(Template.status != TemplateStatus.DRAFT)
        .order_by(col(Template.name), col(Template.language))
    )
    if account_id is not None:
        statement = statement.where(Template.account_id == account_id)
    if status is not None:
        statement = statement.where(Template.status == status)
    return list(ctx.session.exec(statement))


@requires(Permission.TEMPLATES_READ)
def template(ctx: Context, template_id: UUID) -> Template:
    """One template. Raises NotFound."""
    found = ctx.get(Template, template_id)
    if found is None:
        raise NotFound("That template no longer exists.")
    return found


@requires(Permission.TEMPLATES_READ)
def listed(
    ctx: Context, wanted: TemplateFilter, *, after: Cursor | None = None, limit: int = PAGE
) -> Page[Template]:
    """Templates by name and language, a page at a time."""
    order = col(Template.name), col(Template.language), col(Template.id)
    statement = select(Template).where(*_fitting(wanted)).order_by(*order)
    if after:
        statement = statement.where(tuple_(*order) > read_cursor(after, str, str, UUID))
    size = page_size(limit)
    rows = list(ctx.session.exec(statement.limit(size + 1)))
    last = rows[size - 1] if len(rows) > size else None
    return Page(rows[:size], cursor_of(last.name, last.language, last.id) if last else None)


@requires(Permission.TEMPLATES_READ)
def groups(
    ctx: Context, wanted: TemplateFilter, *, after: Cursor | None = None, limit: int = PAGE
) -> Page[TemplateGroup]:
    """Names with their languages. A name is shown whole when one of its languages fits."""
    order = col(Template.name), col(Template.account_id)
    statement = select(*order).where(*_fitting(wanted)).group_by(*order).order_by(*order)
    if after:
        statement = statement.where(tuple_(*order) > read_cursor(after, str, UUID))
    size = page_size(limit)
    keys = [(row[0], row[1]) for row in ctx.session.exec(statement.limit(size + 1))]
    last = keys[size - 1] if len(keys) > size else None
    return Page(_grouped(ctx, keys[:size], wanted), cursor_of(*last) if last else None)


@requires(Permission.TEMPLATES_READ)
def detail(ctx: Context, template_id: UUID) -> TemplateDetail:
    """All about one template. Raises NotFound."""
    found = template(ctx, template_id)
    definition = standing.contents(found)
    mates = [row for row in _of_name(ctx, [(found.name, found.account_id)]) if row.id != found.id]
    counted = uses(ctx, [found.id, *(row.id for row in mates)])
    return TemplateDetail(
        template=found,
        account_name=_account_names(ctx)[found.account_id],
        definition=definition,
        problems=checks.problems(definition, name=found.name, language=found.language),
        gaps=gaps(found),
        why_not_written=standing.why_not_written(found),
        siblings=[_variant(row, counted) for row in mates],
        uses=Uses(counted.get(found.id, 0), _last_use(ctx, found.id)),
        history=_history(ctx, found.id),
    )


@requires(Permission.TEMPLATES_READ)
def problems(ctx: Context, template_id: UUID, definition: Definition) -> list[Problem]:
    """What Meta would refuse, if this were submitted as that template now."""
    found = template(ctx, template_id)
    return checks.problems(definition, name=found.name, language=found.language)


@requires(Permission.TEMPLATES_READ)
def standings(ctx: Context) -> Standing:
    """How many there are, and how many of them Meta has stopped."""
    harmed = col(Template.status).in_(("REJECTED", "PAUSED", "DISABLED"))
    statement = select(func.count(), func.count().filter(harmed)).select_from(Template)
    total, stopped = ctx.session.exec(statement.where(Template.status != "DELETED")).one()
    return Standing(total, stopped)


@requires(Permission.TEMPLATES_READ)
def languages(ctx: Context) -> list[str]:
    """The languages that are in use, for filtering."""
    statement = select(Template.language).where(Template.status != "DELETED").distinct()
    return sorted(ctx.session.exec(statement))


@requires(Permission.TEMPLATES_READ)
def uses(ctx: Context, template_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Messages of the last 30 days by template; one without any is missing."""
    cursor = ctx.cursor()
    since = first_id_at(ctx.now - RECENT)
    cursor.execute(_USES, {"tenant": ctx.tenant_id, "ids": list(template_ids), "since": since})
    return dict(cursor.fetchall())


def _last_use(ctx: Context, template_id: UUID) -> datetime | None:
    cursor = ctx.cursor()
    cursor.execute(_LAST_USE, {"tenant": ctx.tenant_id, "id": template_id})
    row = cursor.fetchone()
    return moment_of(row[0]) if row else None


def _fitting(wanted: TemplateFilter) -> list[ColumnElement[bool]]:
    fits: list[Any] = []
    if wanted.status:
        fits.append(Template.status == wanted.status)
    else:
        fits.append(Template.status != TemplateStatus.DELETED)
    if wanted.category:
        fits.append(Template.category == wanted.category)
    if wanted.language:
        fits.append(Template.language == wanted.language)
    if wanted.account_id:
        fits.append(Template.account_id == wanted.account_id)
    for word in wanted.search.lower().split():
        fits.append(_mentions(word))
    return fits


def _mentions(word: str) -> ColumnElement[bool]:
    """In its name or its words. An account has 6,000 templates at most, so they are read through."""
    pattern = f"%{word.translate(_PATTERN_SIGNS)}%"
    texts = func.jsonb_path_query_array(col(Template.components), _TEXTS)
    drafted = func.jsonb_path_query_array(col(Template.draft), _TEXTS)
    return (
        col(Template.name).ilike(pattern)
        | cast(texts, Text).ilike(pattern)
        | cast(drafted, Text).ilike(pattern)
    )


def _grouped(
    ctx: Context, keys: list[tuple[str, UUID]], wanted: TemplateFilter
) -> list[TemplateGroup]:
    rows = _of_name(ctx, keys, with_deleted=wanted.status == TemplateStatus.DELETED)
    counted, names = uses(ctx, [row.id for row in rows]), _account_names(ctx)
    by_key: dict[tuple[str, UUID], list[Template]] = {key: [] for key in keys}
    for row in rows:
        by_key[row.name, row.account_id].append(row)
    return [
        TemplateGroup(
            name=name,
            account_id=account_id,
            account_name=names[account_id],
            body=_words(mates[0]),
            variants=[_variant(row, counted) for row in mates],
        )
        for (name, account_id), mates in by_key.items()
    ]


def _of_name(
    ctx: Context, keys: list[tuple[str, UUID]], *, with_deleted: bool = False
) -> list[Template]:
    statement = select(Template).where(
        tuple_(col(Template.name), col(Template.account_id)).in_(keys)
    )
    if not with_deleted:
        statement = statement.where(Template.status != TemplateStatus.DELETED)
    return list(ctx.session.exec(statement.order_by(col(Template.name), col(Template.language))))


def _words(template: Template) -> str:
    contents = standing.contents(template)
    return "A code, in WhatsApp's own words" if contents.is_code else contents.body.text


def _variant(row: Template, counted: dict[UUID, int]) -> Variant:
    return Variant(
        id=row.id,
        language=row.language,
        category=row.category,
        status=row.status,
        quality=row.quality,
        note=row.note,
        has_draft=row.draft is not None and row.status != TemplateStatus.DRAFT,
        uses=counted.get(row.id, 0),
    )


def _account_names(ctx: Context) -> dict[UUID, str]:
    rows = ctx.session.exec(select(WhatsappAccount))
    return {row.id: row.name or row.meta_account_id for row in rows}


def _history(ctx: Context, template_id: UUID) -> list[HistoryLine]:
    statement = select(TemplateEvent).where(TemplateEvent.template_id == template_id)
    rows = ctx.session.exec(statement.order_by(col(TemplateEvent.id).desc()).limit(HISTORY))
    return [
        HistoryLine(row.kind, row.words, row.actor_name, row.is_harm, row.created_at)
        for row in rows
    ]
