"""Logs: one line an event, JSON in production, readable in development, and no secrets in either.

Everything is written through the standard library's `logging`; this decides what a line looks like.
Details travel as `extra={…}`. Passwords, tokens and cookies are left out by name, and what looks like a
token or a telephone number is masked wherever it stands, in tracebacks too.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from aerostic.core.settings import settings

SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|authorization|cookie|api_?key|sealed|ticket|otp|totp",
    re.IGNORECASE,
)
# Meta's access tokens, our own API keys, bearer tokens, and passwords inside addresses of servers.
_SECRETS = re.compile(
    r"\b(?:EAA[A-Za-z0-9]{12,}|ask_(?:live|test)_[\w-]{8,})"
    r"|(?<=Bearer )[\w.~+/=-]{8,}"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=access_token=)[^\s&\"']+"
)
# Not inside of an id, a hash, a time or a decimal number.
_NUMBERS = re.compile(r"(?<![\w.:/-])\+?\d(?:[ ()-]{0,2}\d){6,12}(\d{2})(?![\w-]|[.:]\d)")

HIDDEN = "•••"
_DERIVED = frozenset({"message", "asctime"})  # what another formatter left on the record

Event = MutableMapping[str, Any]


class _CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now: whoever swaps it, a test for one, sees the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        raise AttributeError("always the current standard error")


def configure(*, level: int = logging.INFO) -> None:
    """Give this process its log. Called again, it changes the level only."""
    root = logging.getLogger()
    root.setLevel(level)
    if any(isinstance(handler, _CurrentStderr) for handler in root.handlers):
        return
    handler = _CurrentStderr()
    handler.setFormatter(formatter(json=settings().is_production, colors=sys.stderr.isatty()))
    root.addHandler(handler)
    # Libraries that log through structlog itself take the same way.
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    for chatty in ("httpx", "httpx2", "httpcore", "httpcore2", "aiohttp.access", "rq.worker"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def formatter(*, json: bool, colors: bool = False) -> logging.Formatter:
    """How a line looks."""
    end = [_as_json] if json else [structlog.dev.ConsoleRenderer(colors=colors)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, *end],
    )


def mask(_logger: object, _method: str, event: Event) -> Event:
    """Hide secrets by the name they go by, and tokens and telephone numbers by their looks."""
    return {name: _masked(name, value) for name, value in event.items() if name not in _DERIVED}


def masked(text: str) -> str:
    """The text without tokens, and with no more than the last two digits of a telephone number."""
    return _NUMBERS.sub(rf"{HIDDEN}\1", _SECRETS.sub(HIDDEN, text))


def _masked(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return HIDDEN
    if name == "timestamp":
        return value
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(name, inner) for inner in value]
    return value


def _as_json(logger: object, method: str, event: Event) -> str:
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    return str(renderer(logger, method, dict(event)))
