"""The typeface of every page, bundled so that no outside server is asked for it."""

import reflex as rx
from reflex_base.utils.imports import ImportVar


class Typeface(rx.Fragment):
    """Loads Inter (SIL Open Font License) as one variable font."""

    def add_imports(self) -> dict[str, list[ImportVar]]:
        """The package, and its style sheet for the side effect of loading it."""
        return {
            "@fontsource-variable/inter@5.3.0": [ImportVar(tag=None, render=False)],
            "": [ImportVar(tag="@fontsource-variable/inter/index.css", install=False)],
        }
