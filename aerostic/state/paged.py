"""A list that is read page by page. Only the shown page is kept, however long the list is."""

import reflex as rx

from aerostic.core.pages import Cursor


class Paged(rx.State, mixin=True):
    """`_start` is where the shown page begins; after reading it, tell `_shown` where the next one does."""

    page_number: int = 1
    has_next: bool = False
    # Where each page up to the shown one begins; the first at nothing.
    _starts: list[Cursor | None] = [None]
    _next: Cursor | None = None

    def _start(self) -> Cursor | None:
        return self._starts[-1]

    def _shown(self, next_cursor: Cursor | None) -> None:
        self._next, self.has_next = next_cursor, next_cursor is not None
        self.page_number = len(self._starts)

    def _from_the_first(self) -> None:
        self._starts = [None]

    def _turn(self) -> None:
        if self._next is not None:
            self._starts = [*self._starts, self._next]

    def _turn_back(self) -> None:
        self._starts = self._starts[:-1] or [None]
