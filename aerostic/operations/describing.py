"""The pages of docs/nodes, as the code has them now."""

from pathlib import Path

from aerostic.operations.configuration import ROOT

FOLDER = ROOT / "docs" / "nodes"


def write(folder: Path = FOLDER) -> int:
    """Write every page, and take away those of kinds that are no more. Return how many there are."""
    from aerostic.domain.automation.documentation import pages

    made = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(made)
