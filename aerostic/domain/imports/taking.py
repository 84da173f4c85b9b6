"""A batch of rows into the tables, by a handful of statements over all of them.

The caller's transaction also moves the import's position, so that a crash loses no row and takes none twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import ContactImport
from aerostic.domain.contacts.naming import sort_name
from aerostic.domain.contacts.schemas import AttributeValue, EventKind
from aerostic.domain.contacts.words import words_of
from aerostic.domain.imports.rows import Person, Refusal
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import SignalKind
from aerostic.domain.signals.telling import Happened

LONGEST_REPORTED_CELL = 200
MOST_TAGS = 1_000


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    members: list[tuple[UUID, Person]] = field(default_factory=list)  # each contact once


@dataclass(slots=True)
class _Known:
    """A contact that is there already, as far as a row can change it."""

    id: UUID
    name: str
    profile_name: str
    phone: str | None
    email: str | None
    language: str | None
    country: str | None
    attributes: dict[str, AttributeValue]
    row_number: int | None = None  # of this import, if an earlier row made or changed it


@dataclass(frozen=True, slots=True)
class Batch:
    """The statements that take a batch in, under one import's options."""

    ctx: Context
    cursor: Cursor[Any]
    taken_by: ContactImport
    updates: bool
    tag_ids: Sequence[UUID]
    list_id: UUID | None = None

    def take(self, people: Iterable[Person]) -> Outcome:
        """Create and update. A number that stands twice in the file is taken once."""
        outcome = Outcome()
        waiting = self._without_doubles(people, outcome)
        while waiting:
            known = self._known(list(waiting))
            missing = [one for digits, one in waiting.items() if digits not in known]
            made = self._create(missing)
            outcome.created += len(made)
            outcome.members += [(made[one.phone], one) for one in missing if one.phone in made]
            self._update([(known[d], one) for d, one in waiting.items() if d in known], outcome)
            # Someone else entered these numbers in this very moment: they are known on the next round.
            waiting = {one.phone: one for one in missing if one.phone not in made}
        return outcome

    def _without_doubles(self, people: Iterable[Person], outcome: Outcome) -> dict[str, Person]:
        first: dict[str, Person] = {}
        for person in people:
            earlier = first.setdefault(person.phone, person)
            if earlier is not person:
                outcome.refusals.append(_double(person, earlier.row.number))
        # One order for everyone who locks these numbers.
        return dict(sorted(first.items()))

    def _known(self, numbers: list[str]) -> dict[str, _Known]:
        found = self.cursor.execute(
            _FIND, {"tenant": self.ctx.tenant_id, "numbers": numbers}
        ).fetchall()
        known = {row[0]: _Known(*row[1:]) for row in found}
        rows_of = self._rows_of([one.id for one in known.values()])
        for one in known.values():
            one.row_number = rows_of.get(one.id)
        return known

    def _rows_of(self, contact_ids: list[UUID]) -> dict[UUID, int]:
        """Which of these contacts an earlier row of this import made or changed, or put on its list."""
        if self.list_id:
            on_list = {"tenant": self.ctx.tenant_id, "contacts": contact_ids, "list": self.list_id}
            return dict(self.cursor.execute(_ON_LIST, on_list).fetchall())
        parameters = {
            "tenant": self.ctx.tenant_id,
            "contacts": contact_ids,
            "import": str(self.taken_by.id),
        }
        return dict(self.cursor.execute(_EARLIER_ROWS, parameters).fetchall())

    def _create(self, people: list[Person]) -> dict[str, UUID]:
        """Return the numbers that are new contacts now, with these."""
        ids = {person.phone: new_id() for person in people}
        if not ids:
            return {}
        self._insert_contacts(people, ids)
        self.cursor.execute(_INSERT_IDENTITIES, self._shared([list(ids), list(ids.values())]))
        taken = {digits for (digits,) in self.cursor.fetchall()}
        lost = [contact_id for digits, contact_id in ids.items() if digits not in taken]
        if lost:
            self.cursor.execute(_DELETE_CONTACTS, {"tenant": self.ctx.tenant_id, "ids": lost})
        made = [(ids[person.phone], person) for person in people if person.phone in taken]
        self._write_words(
            (contact_id, words_of(person.name, "", person.email, person.phone))
            for contact_id, person in made
        )
        told = [
            Happened(SignalKind.CONTACT_CREATED, contact_id=contact_id) for contact_id, _ in made
        ]
        telling.tell(self.ctx, told)
        self._tag(made)
        self._note(((contact_id, person.row.number) for contact_id, person in made), created=True)
        return {person.phone: contact_id for contact_id, person in made}

    def _insert_contacts(self, people: list[Person], ids: dict[str, UUID]) -> None:
        columns: list[list[Any]] = [
            [ids[one.phone] for one in people],
            [one.name for one in people],
            [sort_name(one.name, "", one.phone) for one in people],
            [one.phone for one in people],
            [one.email for one in people],
            [one.language for one in people],
            [one.country for one in people],
            [orjson.dumps(one.attributes).decode() for one in people],
        ]
        self.cursor.execute(_INSERT_CONTACTS, self._shared(columns))

    def _update(self, pairs: list[tuple[_Known, Person]], outcome: Outcome) -> None:
        changed: list[tuple[UUID, Person]] = []
        tagged = self._tag([(known.id, person) for known, person in pairs if self._may(known)])
        rewritten = []
        for known, person in pairs:
            if known.row_number is not None:
                outcome.refusals.append(_double(person, known.row_number))
                continue
            outcome.members.append((known.id, person))
            if not self.updates:
                outcome.unchanged += 1
            elif _merge(known, person):
                rewritten.append(known)
                changed.append((known.id, person))
            elif known.id in tagged:
                changed.append((known.id, person))
            else:
                outcome.unchanged += 1
        self._rewrite(rewritten)
        self._note(((one, person.row.number) for one, person in changed), created=False)
        outcome.updated += len(changed)

    def _may(self, known: _Known) -> bool:
        return self.updates and known.row_number is None

    def _rewrite(self, contacts: list[_Known]) -> None:
        if not contacts:
            return
        columns: list[list[Any]] = [
            [one.id for one in contacts],
            [one.name for one in contacts],
            [sort_name(one.name, one.profile_name, one.phone) for one in contacts],
            [one.email for one in contacts],
            [one.language for one in contacts],
            [one.country for one in contacts],
            [orjson.dumps(one.attributes).decode() for one in contacts],
        ]
        self.cursor.execute(_UPDATE_CONTACTS, self._shared(columns))
        ids = [one.id for one in contacts]
        tenant = self.ctx.tenant_id
        self.cursor.execute(_DELETE_WORDS, {"tenant": tenant, "ids": ids})
        identities: dict[UUID, list[str]] = {}
        for contact_id, value in self.cursor.execute(_IDENTITIES, {"tenant": tenant, "ids": ids}):
            identities.setdefault(contact_id, []).append(value)
        self._write_words(
            (
                one.id,
                words_of(
                    one.name, one.profile_name, one.email, one.phone, identities.get(one.id, ())
                ),
            )
            for one in contacts
        )

    def _write_words(self, words: Iterable[tuple[UUID, list[str]]]) -> None:
        pairs = [(word, contact_id) for contact_id, found in words for word in found]
        if pairs:
            columns: list[list[Any]] = [
                [word for word, _ in pairs],
                [contact_id for _, contact_id in pairs],
            ]
            self.cursor.execute(_INSERT_WORDS, self._shared(columns))

    def _tag(self, people: Sequence[tuple[UUID, Person]]) -> set[UUID]:
        """Give the tags of the rows and of the import; return who got one that they had not."""
        by_name = self._tags_by_name({name for _, person in people for name in person.tags})
        pairs = [
            (tag_id, contact_id)
            for contact_id, person in people
            for tag_id in {*self.tag_ids, *(by_name[n] for n in person.tags if n in by_name)}
        ]
        if not pairs:
            return set()
        columns: list[list[Any]] = [
            [tag_id for tag_id, _ in pairs],
            [contact_id for _, contact_id in pairs],
        ]
        self.cursor.execute(_INSERT_TAGS_OF_CONTACTS, self._shared(columns))
        return {contact_id for (contact_id,) in self.cursor.fetchall()}

    def _tags_by_name(self, names: set[str]) -> dict[str, UUID]:
        if not names:
            return {}
        wanted = sorted(names)
        columns: list[list[Any]] = [[new_id() for _ in wanted], wanted]
        self.cursor.execute(_INSERT_TAGS, {**self._shared(columns), "most": MOST_TAGS})
        parameters = {"tenant": self.ctx.tenant_id, "names": wanted}
        return dict(self.cursor.execute(_TAGS_BY_NAME, parameters).fetchall())

    def _note(self, rows: Iterable[tuple[UUID, int]], *, created: bool) -> None:
        found = list(rows)
        if not found:
            return
        details = [
            orjson.dumps(
                {
                    "import_id": str(self.taken_by.id),
                    "file_name": self.taken_by.file_name,
                    "row": number,
                    "created": created,
                }
            ).decode()
            for _, number in found
        ]
        columns: list[list[Any]] = [
            [new_id() for _ in found],
            [contact_id for contact_id, _ in found],
            details,
        ]
        self.cursor.execute(
            _INSERT_EVENTS,
            self._shared(columns)
            | {
                "kind": EventKind.IMPORTED,
                "actor_id": self.taken_by.actor_user_id,
                "actor_name": self.taken_by.options.get("by", ""),
            },
        )

    def report(self, refusals: Iterable[Refusal]) -> None:
        """Keep the rows that were not taken, for the report."""
        found = list(refusals)
        if not found:
            return
        columns: list[list[Any]] = [
            [one.row.number for one in found],
            [one.reason for one in found],
            [orjson.dumps(_shown(one.row.cells)).decode() for one in found],
        ]
        self.cursor.execute(_INSERT_REFUSALS, self._shared(columns) | {"import": self.taken_by.id})

    def _shared(self, columns: Sequence[list[Any]]) -> dict[str, Any]:
        numbered = {f"c{index}": column for index, column in enumerate(columns)}
        return {"tenant": self.ctx.tenant_id, "now": self.ctx.now, **numbered}


def _double(person: Person, row_number: int) -> Refusal:
    return Refusal(person.row, f"The same number stands in row {row_number:,} already.")


def _shown(cells: Sequence[str]) -> list[str]:
    return [cell[:LONGEST_REPORTED_CELL] for cell in cells]


def _merge(known: _Known, person: Person) -> bool:
    """Write what the row says over what is kept; return whether that changed anything."""
    before = (known.name, known.email, known.language, known.country, known.attributes)
    known.name = person.name or known.name
    known.email = person.email or known.email
    known.language = person.language or known.language
    known.country = known.country or person.country
    known.attributes = {**known.attributes, **person.attributes}
    return before != (known.name, known.email, known.language, known.country, known.attributes)


_FIND = """
    select i.value, c.id, c.name, c.profile_name, c.phone, c.email, c.language, c.country, c.attributes
    from contact_identities i
    join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
    where i.tenant_id = %(tenant)s and i.kind = 'phone' and i.scope = '' and i.value = any(%(numbers)s)
    order by c.id for update of c
"""
_EARLIER_ROWS = """
    select contact_id, (details->>'row')::int from contact_events
    where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)
      and kind = 'imported' and details->>'import_id' = %(import)s
"""
_ON_LIST = """
    select contact_id, row_number from list_members
    where tenant_id = %(tenant)s and list_id = %(list)s and contact_id = any(%(contacts)s)
"""
_INSERT_CONTACTS = """
    insert into contacts (
        tenant_id, id, name, profile_name, sort_name, phone, email, language, country, attributes,
        is_blocked, revision, created_at, updated_at, last_activity_at)
    select %(tenant)s, id, name, '', sort_name, phone, email, language, country, attributes::jsonb,
        false, 0, %(now)s, %(now)s, %(now)s
    from unnest(%(c0)s::uuid[], %(c1)s::text[], %(c2)s::text[], %(c3)s::text[], %(c4)s::text[],
        %(c5)s::text[], %(c6)s::text[], %(c7)s::text[])
        as r (id, name, sort_name, phone, email, language, country, attributes)
"""
_INSERT_IDENTITIES = """
    insert into contact_identities (tenant_id, kind, scope, value, contact_id, created_at)
    select %(tenant)s, 'phone', '', value, contact_id, %(now)s
    from unnest(%(c0)s::text[], %(c1)s::uuid[]) as r (value, contact_id)
    on conflict do nothing returning value
"""
_DELETE_CONTACTS = "delete from contacts where tenant_id = %(tenant)s and id = any(%(ids)s)"
_UPDATE_CONTACTS = """
    update contacts c set name = r.name, sort_name = r.sort_name, email = r.email, language = r.language,
        country = r.country, attributes = r.attributes::jsonb, revision = c.revision + 1,
        updated_at = %(now)s
    from unnest(%(c0)s::uuid[], %(c1)s::text[], %(c2)s::text[], %(c3)s::text[], %(c4)s::text[],
        %(c5)s::text[], %(c6)s::text[])
        as r (id, name, sort_name, email, language, country, attributes)
    where c.tenant_id = %(tenant)s and c.id = r.id
"""
_IDENTITIES = """
    select contact_id, value from contact_identities
    where tenant_id = %(tenant)s and contact_id = any(%(ids)s)
"""
_DELETE_WORDS = (
    "delete from contact_words where tenant_id = %(tenant)s and contact_id = any(%(ids)s)"
)
_INSERT_WORDS = """
    insert into contact_words (tenant_id, word, contact_id)
    select %(tenant)s, word, contact_id
    from unnest(%(c0)s::text[], %(c1)s::uuid[]) as r (word, contact_id)
    on conflict do nothing
"""
_INSERT_TAGS = """
    insert into tags (tenant_id, id, name, colour, created_at)
    select %(tenant)s, id, name, 'gray', %(now)s
    from unnest(%(c0)s::uuid[], %(c1)s::text[]) as r (id, name)
    where (select count(*) from tags) < %(most)s
    on conflict do nothing
"""
_TAGS_BY_NAME = "select name, id from tags where tenant_id = %(tenant)s and name = any(%(names)s)"
_INSERT_TAGS_OF_CONTACTS = """
    insert into contact_tags (tenant_id, tag_id, contact_id)
    select %(tenant)s, tag_id, contact_id
    from unnest(%(c0)s::uuid[], %(c1)s::uuid[]) as r (tag_id, contact_id)
    on conflict do nothing returning contact_id
"""
_INSERT_EVENTS = """
    insert into contact_events (
        tenant_id, id, contact_id, kind, actor_user_id, actor_name, details, created_at)
    select %(tenant)s, id, contact_id, %(kind)s, %(actor_id)s, %(actor_name)s, details::jsonb, %(now)s
    from unnest(%(c0)s::uuid[], %(c1)s::uuid[], %(c2)s::text[]) as r (id, contact_id, details)
"""
_INSERT_REFUSALS = """
    insert into import_refusals (tenant_id, import_id, row_number, reason, cells)
    select %(tenant)s, %(import)s, row_number, reason,
        array(select jsonb_array_elements_text(cells::jsonb))
    from unnest(%(c0)s::int[], %(c1)s::text[], %(c2)s::text[]) as r (row_number, reason, cells)
"""
