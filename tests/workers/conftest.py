"""Meta posts, workers work, and one looks at what became of it."""

from collections.abc import Iterator

import pytest

from tests.meta import Meta


@pytest.fixture
def meta() -> Iterator[Meta]:
    meta = Meta()
    yield meta
    meta.close()
