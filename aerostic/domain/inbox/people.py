"""From the names that came with messages to contacts: found, made, or found to be one and the same.

All of a tenant's messages in one go. Whoever calls holds the tenant's lock (`apply.py`), so that two workers
never make the same contact; other ways to a contact (a form, an import) meet us at the unique key.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg

from aerostic.core import bulk
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import naming, phones
from aerostic.domain.contacts.models import IdentityKind
from aerostic.domain.contacts.words import words_of
from aerostic.domain.inbox import joining
from aerostic.domain.inbox.hearing import Hearing
from aerostic.integrations.meta.webhooks import Person

Identity = tuple[str, str, str]  # kind, scope, value
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person seen in a message, or only told about (`is_news`): then a stranger stays one.

    `scope` is the portfolio in which their user id means something.
    """

    person: Person
    scope: str
    at: datetime
    wrote: bool = False  # they, not we, and now, not in an imported past
    is_news: bool = False


@dataclass(slots=True)
class _Known:
    """What is stored of a contact that an identity leads to."""

    id: UUID
    name: str
    profile_name: str
    phone: str | None


@dataclass(slots=True)
class _Someone:
    """One person with every name under which they were seen here."""

    identities: dict[Identity, None] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    known: _Known | None = None
    id: UUID = field(default_factory=new_id)

    @property
    def in_order(self) -> list[Sighting]:
        """Oldest first; of one second, as they came."""
        return sorted(self.sightings, key=lambda one: one.at)

    @property
    def newest(self) -> Sighting:
        return self.in_order[-1]

    def _latest(self, name: str) -> str:
        """The newest of a kind of name that was told at all."""
        told = [getattr(one.person, name) for one in self.in_order]
        return next((one for one in reversed(told) if one), "")

    @property
    def profile_name(self) -> str:
        return self._latest("name") or (self.known.profile_name if self.known else "")

    @property
    def username(self) -> str:
        return self._latest("username")

    @property
    def phone(self) -> str | None:
        """The number to show: the new one of who has changed it, else the stored one, else the one told."""
        changed = [one.person.phone for one in self.in_order if one.person.former_phone]
        stored = self.known.phone if self.known else None
        return (changed[-1] if changed else stored) or self._latest("phone") or None

    @property
    def is_stranger(self) -> bool:
        return self.known is None and all(one.is_news for one in self.sightings)

    @property
    def wrote_at(self) -> datetime | None:
        return max((one.at for one in self.sightings if one.wrote), default=None)


def identities_of(sighting: Sighting) -> Iterator[Identity]:
    """The names that lead to one contact. A user name does not: it can be given up and taken by another."""
    person = sighting.person
    for phone in (person.phone, person.former_phone):
        if phone:
            yield (IdentityKind.PHONE, "", phone)
    for user_id in (person.user_id, person.former_user_id):
        if user_id:
            yield (IdentityKind.BSUID, sighting.scope, user_id)


def find_or_make(
    ctx: Context, sightings: Sequence[Sighting], heard: Hearing | None = None
) -> list[UUID]:
    """The contact of each sighting, in the same order; NOBODY for news of a stranger."""
    cursor = ctx.cursor()
    people, of_sighting = _tell_apart(sightings)
    stored = _look_up(cursor, ctx, {name for one in people for name in one.identities})
    everyone = [_recognise(ctx, cursor, one, stored) for one in people]
    distinct = list({one.id: one for one in everyone if not one.is_stranger}.values())
    new = [one for one in distinct if one.known is None]
    rows = {row[:3]: row for one in distinct for row in _new_names(one, stored)}
    names = list(rows.values())
    named = ctx.cursor()
    with cursor.connection.pipeline():  # PostgreSQL works on one while we make the next
        _insert(ctx, cursor, new)
        _insert_identities(ctx, named, names)
        _insert_words(ctx, cursor, new)
        _update(ctx, cursor, [one for one in distinct if one.known is not None])
    if names and named.rowcount != len(names):
        # Someone entered one of these numbers by hand in this very moment: look again.
        raise psycopg.errors.SerializationFailure("a contact was made meanwhile")
    if heard is not None:
        heard.contacts(one.id for one in new if one.wrote_at)  # not whom only the past knows
    return [NOBODY if everyone[index].is_stranger else everyone[index].id for index in of_sighting]


def _tell_apart(sightings: Sequence[Sighting]) -> tuple[list[_Someone], list[int]]:
    """Sightings that share a name are of one person; one that carries two names joins two."""
    people: list[_Someone] = []
    by_name: dict[Identity, int] = {}
    joined: dict[int, int] = {}

    def root(index: int) -> int:
        while index in joined:
            index = joined[index]
        return index

    at = []
    for sighting in sightings:
        names = list(identities_of(sighting))
        met = sorted({root(by_name[name]) for name in names if name in by_name})
        if not met:
            people.append(_Someone())
            met = [len(people) - 1]
        into = people[met[0]]
        for other in met[1:]:
            into.identities |= people[other].identities
            into.sightings += people[other].sightings
            joined[other] = met[0]
        into.identities.update(dict.fromkeys(names))
        into.sightings.append(sighting)
        by_name.update(dict.fromkeys(names, met[0]))
        at.append(met[0])
    places = {
        index: place for place, index in enumerate(i for i in range(len(people)) if i not in joined)
    }
    return [people[index] for index in places], [places[root(index)] for index in at]


_NAMES = bulk.columns(kind="text", scope="text", value="text")
_LOOK_UP = bulk.statement(
    """
    select i.kind, i.scope, i.value, c.id, c.name, c.profile_name, c.phone
    from {given}
    join contact_identities i
      on i.tenant_id = %b and i.kind = given.kind and i.scope = given.scope and i.value = given.value
    join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
""",
    _NAMES,
)


def _look_up(
    cursor: psycopg.Cursor[tuple[object, ...]], ctx: Context, names: set[Identity]
) -> dict[Identity, _Known]:
    """What is stored under these names; also under no scope, from before the portfolio was known."""
    wanted = names | {(kind, "", value) for kind, _, value in names}
    if not wanted:
        return {}
    bulk.run(cursor, _LOOK_UP, *zip(*sorted(wanted), strict=True), ctx.tenant_id)
    found: dict[Identity, _Known] = {}
    by_id: dict[UUID, _Known] = {}
    for kind, scope, value, contact_id, name, profile_name, phone in cursor.fetchall():
        known = by_id.setdefault(contact_id, _Known(contact_id, name, profile_name, phone))  # type: ignore[arg-type]
        found[(kind, scope, value)] = known  # type: ignore[index]
    return found


def _recognise(
    ctx: Context,
    cursor: psycopg.Cursor[tuple[object, ...]],
    someone: _Someone,
    stored: dict[Identity, _Known],
) -> _Someone:
    """Lead a person to what is stored. If their names lead to several contacts, these become one."""
    names = [*someone.identities, *((kind, "", value) for kind, _, value in someone.identities)]
    met = {stored[name].id: stored[name] for name in names if name in stored}
    if not met:
        return someone
    oldest, *others = sorted(met.values(), key=lambda known: known.id)
    for other in others:
        joining.join(ctx, kept=oldest.id, gone=other.id)
        oldest.name = oldest.name or other.name
        oldest.phone = oldest.phone or other.phone
        for name, known in list(stored.items()):
            if known.id == other.id:
                stored[name] = oldest
    someone.known, someone.id = oldest, oldest.id
    return someone


_CONTACTS = bulk.columns(
    id="uuid",
    profile_name="text",
    sort_name="text",
    phone="text",
    country="text",
    last_activity_at="timestamptz",
    last_inbound_at="timestamptz",
)


def _insert(
    ctx: Context, cursor: psycopg.Cursor[tuple[object, ...]], new: Iterable[_Someone]
) -> None:
    rows = []
    for one in new:
        phone, name = one.phone, one.profile_name
        country = _country_of_phone(phone) if phone else _country_of_user_id(one)
        sort_name = naming.sort_name("", name, phone)
        rows.append((one.id, name, sort_name, phone, country, one.newest.at, one.wrote_at))
        ctx.announce("contact", one.id)
    constants = {
        "name": "''",
        "attributes": "'{}'::jsonb",
        "is_blocked": "false",
        "revision": "0",
        "created_at": "now()",
        "updated_at": "now()",
    }
    bulk.insert(
        cursor, "contacts", _CONTACTS, rows, tenant_id=ctx.tenant_id, constants=constants, tail=""
    )


_countries: dict[tuple[str, int], str | None] = {}
_MOST_COUNTRIES = 50_000


def _country_of_phone(digits: str) -> str | None:
    """As `phones.country_of`, which asks each region of a shared code in turn: here once a beginning.

    Seven digits tell the countries of every shared calling code apart.
    """
    beginning = (digits[:7], len(digits))
    if beginning not in _countries:
        if len(_countries) >= _MOST_COUNTRIES:
            _countries.clear()
        _countries[beginning] = phones.country_of(digits)
    return _countries[beginning]


def _country_of_user_id(someone: _Someone) -> str | None:
    """A business-scoped user id begins with the country of its user."""
    for kind, _, value in someone.identities:
        if kind == IdentityKind.BSUID and value[2:3] == ".":
            return value[:2].upper()
    return None


_IDENTITIES = bulk.columns(kind="text", scope="text", value="text", contact_id="uuid")
# A user name leads to whoever bears it now; the other names of a person stay theirs.
_TAKE_OVER = (
    "on conflict (tenant_id, kind, scope, value) do update set contact_id = excluded.contact_id"
    " where contact_identities.kind = 'username'"
)


def _new_names(
    one: _Someone, stored: dict[Identity, _Known]
) -> Iterator[tuple[str, str, str, UUID]]:
    for kind, scope, value in one.identities:
        if (kind, scope, value) not in stored:
            yield (kind, scope, value, one.id)
    if one.username:
        yield (IdentityKind.USERNAME, one.newest.scope, one.username, one.id)


def _insert_identities(
    ctx: Context,
    cursor: psycopg.Cursor[tuple[object, ...]],
    names: Sequence[tuple[str, str, str, UUID]],
) -> None:
    constants = {"created_at": "now()"}
    bulk.insert(
        cursor,
        "contact_identities",
        _IDENTITIES,
        names,
        tenant_id=ctx.tenant_id,
        constants=constants,
        tail=_TAKE_OVER + " returning kind, scope, value",
    )


_WORDS = bulk.columns(word="text", contact_id="uuid")


def _insert_words(
    ctx: Context, cursor: psycopg.Cursor[tuple[object, ...]], these: Iterable[_Someone]
) -> None:
    rows = [
        (word, one.id)
        for one in these
        for word in words_of(
            one.known.name if one.known else "",
            one.profile_name,
            None,
            one.phone,
            [*(value for _, _, value in one.identities), *([one.username] if one.username else [])],
        )
    ]
    bulk.insert(cursor, "contact_words", _WORDS, rows, tenant_id=ctx.tenant_id)


_SEEN = bulk.columns(
    id="uuid",
    profile_name="text",
    sort_name="text",
    phone="text",
    seen_at="timestamptz",
    wrote_at="timestamptz",
)
_UPDATE = bulk.statement(
    """
    update contacts c set
        profile_name = given.profile_name,
        sort_name = given.sort_name,
        phone = given.phone,
        last_activity_at = greatest(c.last_activity_at, given.seen_at),
        last_inbound_at = greatest(c.last_inbound_at, given.wrote_at),
        updated_at = now(),
        revision = c.revision + (
            c.profile_name <> given.profile_name or c.phone is distinct from given.phone
        )::int
    from {given}
    where c.tenant_id = %b and c.id = given.id
""",
    _SEEN,
)


def _update(
    ctx: Context, cursor: psycopg.Cursor[tuple[object, ...]], known: Sequence[_Someone]
) -> None:
    """Take over what is new about people whom we know."""
    rows, renamed = [], defaultdict(list)
    for one in known:
        assert one.known is not None
        name, phone = one.profile_name, one.phone
        sort_name = naming.sort_name(one.known.name, name, phone)
        rows.append((one.id, name, sort_name, phone, one.newest.at, one.wrote_at))
        if (name, phone) != (one.known.profile_name, one.known.phone) or one.username:
            renamed[one.id].append(one)
            ctx.announce("contact", one.id)
    if rows:
        bulk.run(
            cursor, _UPDATE, *zip(*sorted(rows, key=lambda row: row[0]), strict=True), ctx.tenant_id
        )
    # Words of former names stay: someone may still look for a contact under them.
    _insert_words(ctx, cursor, [one for many in renamed.values() for one in many])
