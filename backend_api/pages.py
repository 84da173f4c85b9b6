"""Lists over HTTP: `{"items": [], "next_cursor": null}`, the same for every noun."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from aerostic.core.pages import LARGEST_PAGE, Page

T = TypeVar("T")
R = TypeVar("R")

After = Annotated[
    str | None,
    Query(alias="cursor", max_length=1000, description="`next_cursor` of the page before."),
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many items at most.")]


class PageOut(BaseModel, Generic[T]):
    """One page of a list. Without `next_cursor` it was the last."""

    items: list[T]
    next_cursor: str | None = Field(examples=[None])

    @classmethod
    def of(cls, page: Page[R], show: Callable[[R], T]) -> "PageOut[T]":
        """A page of the domain, each row shown as callers see it."""
        return cls(items=[show(row) for row in page.items], next_cursor=page.next_cursor)
