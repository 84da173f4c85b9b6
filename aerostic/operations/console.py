"""What the command line prints: progress of long steps, and the logs of many processes in one stream."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
CLEAR = "\r\x1b[K"
_lock = threading.Lock()
_counting: list[str] = []


def say(text: str = "") -> None:
    """One line for the person at the keyboard."""
    with _lock:
        print(f"{CLEAR if _counting else ''}{text}", flush=True)


def complain(text: str) -> None:
    with _lock:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """`Building the pages …  12 s`: counts while it runs on a terminal, said once elsewhere."""
    began = time.monotonic()
    stopped = threading.Event()
    counter = threading.Thread(target=_count, args=(title, began, stopped), daemon=True)
    if sys.stdout.isatty() and not _counting:
        _counting.append(title)
        counter.start()
    outcome = "failed after "
    try:
        yield
        outcome = ""
    finally:
        stopped.set()
        if counter.is_alive():
            counter.join()
        say(f"{title} …  {outcome}{_seconds(time.monotonic() - began)}")
        if title in _counting:
            _counting.remove(title)


def _count(title: str, began: float, stopped: threading.Event) -> None:
    while not stopped.wait(0.5):
        with _lock:
            print(f"{CLEAR}{title} …  {_seconds(time.monotonic() - began)}", end="", flush=True)


def _seconds(elapsed: float) -> str:
    return f"{elapsed:.0f} s" if elapsed >= 9.95 else f"{elapsed:.1f} s"


def log_line(name: str, line: str, *, width: int, colour: int) -> None:
    """One line of a process, with its name in front."""
    prefix = f"{name:<{width}} | "
    if sys.stdout.isatty():
        prefix = f"\x1b[{COLOURS[colour % len(COLOURS)]}m{prefix}\x1b[0m"
    say(prefix + line)
