"""The switches that make the outside world misbehave the way it does on bad days."""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from aerostic.simulator.errors import PROBLEMS, ControlError
from aerostic.simulator.store import Json, Store

_SETTING = "trouble"
Mode = Literal["sync", "async"]


@dataclass(frozen=True)
class Failure:
    """The next `count` sends fail with `code`: at once, or later by a status."""

    code: int
    count: int = 1
    mode: Mode = "async"


@dataclass(frozen=True)
class Trouble:
    """All quiet by default."""

    #: Every webhook is delivered this many times more.
    duplicates: int = 0
    #: Webhooks that are due together leave in reverse.
    reorder: bool = False
    #: Up to this many updates share one delivery.
    batch_size: int = 1
    delay_min_ms: int = 0
    delay_max_ms: int = 0
    failures: list[Failure] = field(default_factory=list)
    #: The next so many sends are accepted, but their HTTP answer never arrives.
    drop_responses: int = 0
    #: The answer to a send comes this late, so that its statuses overtake it.
    response_delay_ms: int = 0
    statuses_paused: bool = False
    pair_limit: bool = True
    #: Numbers that nobody here has are people all the same; else a message to one is undeliverable.
    strangers_have_whatsapp: bool = True

    def as_json(self) -> Json:
        return asdict(self)


_BOUNDS = {
    "duplicates": (0, 20),
    "batch_size": (1, 1000),
    "delay_min_ms": (0, 600_000),
    "delay_max_ms": (0, 600_000),
    "drop_responses": (0, 100_000),
    "response_delay_ms": (0, 60_000),
}


class TroubleSwitch:
    """Holds the present trouble and remembers it over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.setting(_SETTING, {})
        failures = [Failure(**failure) for failure in kept.pop("failures", [])]
        self.now = Trouble(**kept, failures=failures)

    def set(self, wanted: Json) -> Trouble:
        """Change the named switches.

        Raises `ControlError` in words for a wrong name or value; then nothing changed.
        """
        known = {each.name for each in fields(Trouble)}
        if unknown := sorted(set(wanted) - known):
            raise ControlError(
                f"There is no switch named {unknown[0]!r}. There are: {', '.join(sorted(known))}."
            )
        changed = replace(
            self.now, **{name: _checked(name, value) for name, value in wanted.items()}
        )
        if changed.delay_min_ms > changed.delay_max_ms:
            changed = replace(changed, delay_max_ms=changed.delay_min_ms)
        return self._keep(changed)

    def reset(self) -> Trouble:
        return self._keep(Trouble())

    def next_failure(self, mode: Mode) -> Failure | None:
        """Use up one ordered failure of this mode."""
        for position, failure in enumerate(self.now.failures):
            if failure.mode == mode:
                left = [replace(failure, count=failure.count - 1)] if failure.count > 1 else []
                others = self.now.failures
                self._keep(
                    replace(self.now, failures=others[:position] + left + others[position + 1 :])
                )
                return failure
        return None

    def next_response_is_dropped(self) -> bool:
        if not self.now.drop_responses:
            return False
        self._keep(replace(self.now, drop_responses=self.now.drop_responses - 1))
        return True

    def _keep(self, trouble: Trouble) -> Trouble:
        self.now = trouble
        self._store.remember(_SETTING, trouble.as_json())
        return trouble


def _checked(name: str, value: Any) -> Any:
    if name == "failures":
        return [_failure(each) for each in value] if isinstance(value, list) else _refuse_failures()
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ControlError(f"{name} must be a whole number from {least} to {most}.")
        return value
    if not isinstance(value, bool):
        raise ControlError(f"{name} must be true or false.")
    return value


def _refuse_failures() -> list[Failure]:
    raise ControlError(
        'failures must be a list such as [{"code": 131049, "count": 3, "mode": "async"}].'
    )


def _failure(wanted: Any) -> Failure:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("code"), int):
        raise ControlError("Each failure needs a whole-number code, such as 131026.")
    if wanted["code"] not in PROBLEMS:
        raise ControlError(
            f"Meta's error table has no code {wanted['code']} that the simulator knows."
        )
    count, mode = wanted.get("count", 1), wanted.get("mode", "async")
    if not isinstance(count, int) or not 1 <= count <= 1_000_000:
        raise ControlError("A failure's count must be a whole number from 1 to 1000000.")
    if mode not in get_args(Mode):
        raise ControlError('A failure\'s mode must be "sync" or "async".')
    return Failure(wanted["code"], count, mode)
