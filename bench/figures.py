"""What a benchmark found: one figure a line, for people or for programs."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `ratio` is ours to the peer's; `goal` is what was promised, in words."""

    bench: str
    metric: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None

    def as_json(self) -> str:
        rounded = {name: _rounded(value) for name, value in asdict(self).items()}
        return json.dumps(rounded, ensure_ascii=False)

    def as_line(self) -> str:
        """`ingest durable_rps: 14,900 /s (NestJS 11: 2,800; 5.3 ×; goal ≥ 5 × the peer: met)`."""
        return f"{self.bench} {self.metric}: {_shown(self.value)} {self.unit}{self._remarks()}"

    def _remarks(self) -> str:
        remarks = []
        if self.peer_value is not None:
            remarks.append(f"{self.peer}: {_shown(self.peer_value)}")
        if self.ratio is not None:
            remarks.append(f"{self.ratio:.2f} ×")
        if self.goal is not None:
            remarks.append(f"goal {self.goal}: {'met' if self.met else 'MISSED'}")
        return f" ({'; '.join(remarks)})" if remarks else ""


def at_least(bench: str, metric: str, value: float, unit: str, goal: float) -> Figure:
    """A figure that should reach its goal."""
    return Figure(bench, metric, value, unit, goal=f"≥ {goal:,.0f} {unit}", met=value >= goal)


def at_most(bench: str, metric: str, value: float, unit: str, goal: float) -> Figure:
    """A figure that should stay under its goal."""
    return Figure(bench, metric, value, unit, goal=f"≤ {goal:,.0f} {unit}", met=value <= goal)


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed turn does not move it."""
    return statistics.median(values)


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
