"""What every form's state does with a refusal: the sentence goes to its field, or above the form."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import reflex as rx

from aerostic.core.errors import AppError, Invalid

R = TypeVar("R")


class Form(rx.State, mixin=True):
    """`errors` by field name; `problem` for what concerns no one field; `is_busy` while it is sent."""

    errors: dict[str, str] = {}
    problem: str = ""
    is_busy: bool = False

    async def _send(self, work: Coroutine[Any, Any, R]) -> tuple[bool, R | None]:
        """Await the call. (True, its result), or False with the refusal shown."""
        self._clear()
        try:
            return True, await work
        except Invalid as error:
            self.errors = {error.field: error.message}
        except AppError as error:
            self.problem = error.message
        finally:
            self.is_busy = False
        return False, None

    def _clear(self) -> None:
        self.errors, self.problem = {}, ""


def typed(form: dict[str, Any], name: str) -> str:
    """What was typed into a field; nothing if the form did not carry it."""
    return str(form.get(name) or "")
