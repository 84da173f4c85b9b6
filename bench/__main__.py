"""`python3 run.py bench [name …] [--json] [--quick]`: measure, and print one line per figure."""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from itertools import chain

from bench.figures import Figure
from bench.machine import spin
from bench.stage import NotPossible

Measure = Callable[..., Iterator[Figure]]
NAMES = ("ingest", "effects", "live", "send", "workflow", "waiting", "broadcast", "ledger")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python3 run.py bench", description=__doc__)
    asked.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all by default"
    )
    asked.add_argument("--json", action="store_true", help="one JSON object a line")
    asked.add_argument("--quick", action="store_true", help="short turns: to try, not to quote")
    options = asked.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        asked.error(f"there is no benchmark “{unknown[0]}”. There are {', '.join(NAMES)}")
    done = [_run(name, options) for name in options.names or NAMES]
    return 0 if all(done) else 1


def _run(name: str, options: argparse.Namespace) -> bool:
    """Print each figure as soon as it is known. False: it could not be measured here."""
    measure: Measure = importlib.import_module(f"bench.{name}").measure
    try:
        figures = chain(spin(name, "before"), measure(quick=options.quick), spin(name, "after"))
        for figure in figures:
            print(figure.as_json() if options.json else figure.as_line(), flush=True)
    except NotPossible as reason:
        print(f"{name} could not be measured: {reason}", file=sys.stderr, flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
