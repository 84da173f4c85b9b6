"""The pages about nodes say what the code does."""

import pytest

from aerostic.domain.automation import documentation, fitting, templates
from aerostic.domain.automation.examples import EXAMPLES
from aerostic.domain.automation.nodes import BY_KIND, NODES
from aerostic.operations.describing import FOLDER


def test_the_pages_are_those_of_the_code() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    made = documentation.pages()
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert not stale, f"run `{documentation.COMMAND}` and commit what it writes: {stale}"
    assert len(made) == len(NODES) + 1


@pytest.mark.parametrize("kind", NODES, ids=lambda one: one.kind)
def test_each_example_works(kind: type) -> None:
    example = documentation.example_of(kind)
    assert list(fitting.misfits(kind, example)) == []
    assert [text for text in _texts(example) if templates.check(text)] == []


def test_examples_are_of_kinds_that_are_there() -> None:
    assert set(EXAMPLES) <= set(BY_KIND)


def _texts(example: object) -> list[str]:
    return [text for _, text in fitting.texts(example)]
