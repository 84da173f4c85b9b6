"""Meta posts, workers work, and one looks at what became of it."""

from collections.abc import Iterator

import pytest
from sqlmodel import text

from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from tests.meta import Meta


@pytest.fixture(autouse=True)
def nothing_is_due() -> None:
    """Workers look for work over all tenants: what earlier tests left undone is not this test's."""
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(text("delete from due_work"))


@pytest.fixture
def meta() -> Iterator[Meta]:
    meta = Meta()
    yield meta
    meta.close()
