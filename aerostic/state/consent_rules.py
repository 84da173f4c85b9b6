"""The words by which people stop marketing, and whom campaigns leave alone."""

from typing import Any

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import Invalid
from aerostic.core.permissions import Permission
from aerostic.domain.audiences import queries, service
from aerostic.domain.audiences.rules import Rules
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access


class ConsentRules(Form, AppState):
    stop_words: str = ""
    start_words: str = ""
    stop_answer: str = ""
    start_answer: str = ""
    most_messages: str = ""
    in_days: str = ""
    undeliverable_after: str = ""
    version: int = 0  # fields show what was read anew

    @rx.event
    @access(Permission.INBOX_READ)
    async def load(self) -> None:
        self._clear()
        self._show(await self.call(queries.audience_rules))

    def _show(self, rules: Rules) -> None:
        self.stop_words = ", ".join(rules.stop_words)
        self.start_words = ", ".join(rules.start_words)
        self.stop_answer, self.start_answer = rules.stop_answer, rules.start_answer
        self.most_messages, self.in_days = str(rules.most_messages), str(rules.in_days)
        self.undeliverable_after = str(rules.undeliverable_after)
        self.version += 1

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        self.is_busy = True
        saved, rules = await self._send(self._save(form))
        if not saved or rules is None:
            return None
        self._show(rules)
        return rx.toast.success("Saved. It counts from now on.")

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def use_ours(self) -> EventSpec | None:
        """Back to the words and limits that a new workspace begins with."""
        rules, sorry = await self.attempt(self.call(service.set_rules, Rules()))
        if rules is not None:
            self._show(rules)
        return sorry

    async def _save(self, form: dict[str, Any]) -> Rules:
        rules = Rules(
            stop_words=tuple(_words(typed(form, "stop_words"))),
            start_words=tuple(_words(typed(form, "start_words"))),
            stop_answer=typed(form, "stop_answer"),
            start_answer=typed(form, "start_answer"),
            most_messages=_number(form, "most_messages"),
            in_days=_number(form, "in_days"),
            undeliverable_after=_number(form, "undeliverable_after"),
        )
        return await self.call(service.set_rules, rules)


def _words(text: str) -> list[str]:
    return [word.strip() for line in text.splitlines() for word in line.split(",") if word.strip()]


def _number(form: dict[str, Any], name: str) -> int:
    try:
        return int(typed(form, name) or 0)
    except ValueError as error:
        raise Invalid(name, "Give a whole number.") from error
