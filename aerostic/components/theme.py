"""The one set of tokens: colour, space, type. What they stand for: `assets/aerostic.css`."""

from typing import Any

ACCENT = "jade"
GRAY = "sage"

INK = "var(--gray-12)"
MUTED = "var(--gray-11)"
LINE = "var(--gray-5)"
LINE_STRONG = "var(--gray-7)"
PAGE = "var(--page)"
SURFACE = "var(--surface)"
SUNKEN = "var(--sunken)"
HOVER = "var(--gray-a3)"
SELECTED = "var(--accent-a3)"
ACCENT_INK = "var(--accent-11)"
ACCENT_SOLID = "var(--accent-9)"
GOOD = "jade"
WARN = "amber"
BAD = "red"
NEUTRAL = "gray"
INFO = "blue"

# Space, in steps of 4 pixels: 4 8 12 16 24 32 40 48 64.
S1, S2, S3, S4, S5, S6, S7, S8, S9 = (f"var(--space-{step})" for step in range(1, 10))
RADIUS = "var(--radius-4)"
RADIUS_SMALL = "var(--radius-3)"

NAV_WIDTH = "232px"
BAR_HEIGHT = "56px"
MAX_WIDTH = "1040px"

# Below this a page is on a telephone: one column, the navigation at the bottom.
ONLY_WIDE: list[str] = ["none", "none", "none", "flex"]
ONLY_NARROW: list[str] = ["flex", "flex", "flex", "none"]

FOCUS: dict[str, Any] = {
    "_focus_visible": {"outline": "2px solid var(--focus-8)", "outline_offset": "2px"}
}
