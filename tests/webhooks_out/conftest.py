"""Another program on this machine, which the product may call here."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from aerostic.core.due_work import DueWork
from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from tests.automation.kinds import test_kinds  # noqa: F401
from tests.webhooks_out.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def may_call_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "127.0.0.1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def nothing_is_due() -> None:
    """What other tests left to be told is not told here."""
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(delete(DueWork).where(DueWork.kind.in_(["webhooks", "signals"])))  # type: ignore[attr-defined]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made
