"""What waits for the end of a transaction, so that the rows that many want are locked last, and shortly.

Someone who sends to many people, and Meta's news of as many, lock conversations and messages in orders of
their own. If both took the wallet in between, they could wait for each other in a circle.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from aerostic.core.tenancy import Context, ScopedSession

_WAITING = "billing.waiting"


class Ending:
    """Something to do with the commit. All of a kind are done together, kinds in the order of `rank`."""

    rank = 0

    @classmethod
    def end(cls, ctx: Context, waiting: list[Any]) -> None:
        raise NotImplementedError


E = TypeVar("E", bound=Ending)


@dataclass(slots=True)
class _Waiting:
    """Each with the (nested) transaction that wants it."""

    ctx: Context
    endings: list[tuple[SessionTransaction | None, Ending]] = field(default_factory=list)


def add(ctx: Context, ending: Ending) -> None:
    """Do it with the commit, unless the part of the work that wants it is undone before."""
    waiting = ctx.session.info.setdefault(_WAITING, _Waiting(ctx))
    inner = ctx.session.get_nested_transaction() or ctx.session.get_transaction()
    waiting.endings.append((inner, ending))


def of(ctx: Context, kind: type[E]) -> list[E]:
    """What of that kind waits."""
    waiting: _Waiting | None = ctx.session.info.get(_WAITING)
    endings: Iterable[Ending] = (one for _, one in waiting.endings) if waiting else ()
    return [one for one in endings if isinstance(one, kind)]


@event.listens_for(ScopedSession, "before_commit")
def _end(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a part of the work is done; this waits for the whole
    waiting: _Waiting | None = session.info.pop(_WAITING, None)
    if waiting is None:
        return
    endings = [one for _, one in waiting.endings]
    for kind in sorted({type(one) for one in endings}, key=lambda kind: kind.rank):
        kind.end(waiting.ctx, [one for one in endings if type(one) is kind])


@event.listens_for(ScopedSession, "after_soft_rollback")
def _drop(session: Session, undone: SessionTransaction) -> None:
    waiting: _Waiting | None = session.info.get(_WAITING)
    if waiting is not None:
        waiting.endings = [one for one in waiting.endings if not _is_within(one[0], undone)]


def _is_within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
