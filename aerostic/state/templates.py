"""The list of templates: names with their languages, filters, synchronising, and beginning a new one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import Invalid
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.channels import queries as channels
from aerostic.domain.templates import queries, service
from aerostic.domain.templates.definition import Category, Definition
from aerostic.domain.templates.queries import TemplateFilter, TemplateGroup, Variant
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged
from aerostic.state.template_words import (
    CATEGORIES,
    category_words,
    language_words,
    status_colour,
    status_words,
)

Events = AsyncIterator[EventSpec | None]
ALL = "all"
SHORT = 160  # characters of a text that a row shows


@dataclass(frozen=True)
class VariantLine:
    id: str
    language: str
    status: str
    colour: str
    has_draft: bool


@dataclass(frozen=True)
class GroupLine:
    name: str
    account: str
    body: str
    category: str
    uses: str
    note: str
    variants: list[VariantLine]

    @classmethod
    def of(cls, group: TemplateGroup) -> "GroupLine":
        harmed = next((one.note for one in group.variants if _is_harmed(one)), "")
        uses = sum(one.uses for one in group.variants)
        categories = dict.fromkeys(category_words(one.category) for one in group.variants)
        return cls(
            name=group.name,
            account=group.account_name,
            body=group.body[:SHORT],
            category=", ".join(categories),
            uses=f"{uses:,}" if uses else "",
            note=harmed,
            variants=[_variant(one) for one in group.variants],
        )


def _is_harmed(one: Variant) -> bool:
    return one.status in {"REJECTED", "PAUSED", "DISABLED"}


def _variant(one: Variant) -> VariantLine:
    return VariantLine(
        id=str(one.id),
        language=language_words(one.language),
        status=status_words(one.status),
        colour=status_colour(one.status),
        has_draft=one.has_draft,
    )


@dataclass(frozen=True)
class AccountChoice:
    id: str
    name: str


@dataclass(frozen=True)
class LanguageChoice:
    code: str
    words: str


@dataclass(frozen=True)
class _Read:
    groups: list[TemplateGroup]
    next_cursor: str | None
    total: int
    harmed: int
    accounts: list[AccountChoice]
    languages: list[str]


class Templates(Paged, Form, AppState):
    groups: list[GroupLine] = []
    accounts: list[AccountChoice] = []
    languages: list[LanguageChoice] = []
    text: str = ""
    status: str = ALL
    category: str = ALL
    language: str = ALL
    account: str = ALL
    total: int = 0
    harmed: int = 0
    is_loading: bool = True
    is_creating: bool = False
    is_syncing: bool = False

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def load(self) -> None:
        await self.watch()
        self.is_creating = self.is_syncing = False
        self.text, self.status, self.category = "", ALL, ALL
        self.language, self.account, self.is_loading = ALL, ALL, True
        self._clear()
        self._from_the_first()
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"template", "everything"}:
            await self._read()

    async def _read(self) -> None:
        found = await self.call(_listed, self._wanted(), self._start())
        self.groups = [GroupLine.of(group) for group in found.groups]
        self.total, self.harmed = found.total, found.harmed
        self.accounts = found.accounts
        self.languages = [LanguageChoice(code, language_words(code)) for code in found.languages]
        self._shown(found.next_cursor)
        self.is_loading = False

    def _wanted(self) -> TemplateFilter:
        chosen = {"status": self.status, "category": self.category, "language": self.language}
        filters = {name: "" if value == ALL else value for name, value in chosen.items()}
        account = None if self.account == ALL else UUID(self.account)
        return TemplateFilter(search=self.text[:200], account_id=account, **filters)

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def search(self, text: str) -> None:
        self.text = text
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def narrow(self, name: str, value: str) -> None:
        """One of the filters; `all` opens it again."""
        if name == "status":
            self.status = value
        elif name == "category":
            self.category = value if value in CATEGORIES else ALL
        elif name == "language":
            self.language = value
        elif name == "account":
            self.account = value if value in {one.id for one in self.accounts} else ALL
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    # Making one, and asking Meta

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def begin(self) -> None:
        self._clear()
        self.is_creating = True

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def close(self) -> None:
        self.is_creating = False

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def create(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        done, made = await self._send(self.call(_created, form))
        if done:
            self.is_creating = False
            yield rx.redirect(f"/dashboard/{self._workspace}/templates/{made}")

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def sync(self) -> Events:
        """Ask Meta what there is, account by account. What fails changes nothing."""
        self.is_syncing = True
        yield None
        count, sorry = await self.attempt(self._synced())
        self.is_syncing = False
        if sorry:
            yield sorry
            return
        await self._read()
        yield rx.toast.success(f"Meta has {count:,} templates. All of them are here now.")

    async def _synced(self) -> int:
        return sum([await self.call(service.sync, UUID(one.id)) for one in self.accounts])


def _listed(ctx: Context, wanted: TemplateFilter, after: str | None) -> _Read:
    page, standing = queries.groups(ctx, wanted, after=after), queries.standings(ctx)
    accounts = [
        AccountChoice(str(one.id), one.name or one.meta_account_id)
        for one in channels.accounts(ctx)
    ]
    return _Read(
        groups=page.items,
        next_cursor=page.next_cursor,
        total=standing.total,
        harmed=standing.harmed,
        accounts=accounts,
        languages=queries.languages(ctx),
    )


def _created(ctx: Context, form: dict[str, Any]) -> str:
    accounts = channels.accounts(ctx)
    chosen = typed(form, "account") or str(accounts[0].id if accounts else "")
    category = typed(form, "category")
    made = service.create(
        ctx,
        account_of(chosen),
        name=typed(form, "name").strip(),
        language=typed(form, "language"),
        definition=fresh(category),
    )
    return str(made.id)


def account_of(chosen: str) -> UUID:
    """Raises Invalid for what is no account."""
    try:
        return UUID(chosen)
    except ValueError:
        raise Invalid("account", "Choose the account that it is for.") from None


def fresh(category: str) -> Definition:
    """A new template of a category, as far as it makes itself."""
    known = Category(category) if category in set(Category) else Category.UTILITY
    if known is not Category.AUTHENTICATION:
        return Definition(category=known)
    return Definition.model_validate(
        {
            "category": known,
            "footer": {"code_expiration_minutes": 10},
            "buttons": [{"kind": "OTP"}],
        }
    )
