"""How the outcomes of runs and steps are said on pages, with the colour that repeats it."""

OUTCOMES: dict[str, tuple[str, str]] = {
    "ready": ("About to run", "gray"),
    "running": ("Running", "amber"),
    "waiting": ("Waiting", "amber"),
    "unknown": ("Needs a choice", "orange"),
    "done": ("Done", "jade"),
    "failed": ("Failed", "red"),
    "cancelled": ("Cancelled", "gray"),
    "stopped": ("Stopped by a limit", "red"),
}
STEPS: dict[str, tuple[str, str]] = {
    **OUTCOMES,
    "recorded": ("Recorded, not done", "blue"),
    "skipped": ("Skipped", "gray"),
}
