"""Which tests share a worker of xdist: those that start the same costly things."""

from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = {
    "tests/browser/": "browser",  # one product, one Chromium
    "tests/operations/test_up.py": "up",  # one start from nothing after the other
    "tests/crash/": "up",
}


class ByRoom(LoadScopeScheduling):
    """Every test is dealt by itself, but for those of one room. Large rooms come first."""

    def _split_scope(self, nodeid: str) -> str:
        rooms = (room for start, room in TOGETHER.items() if nodeid.startswith(start))
        return next(rooms, nodeid)
