"""n8n's expressions as ours: `={{ $json.order.id }}` as `{{ webhookPayload.body.order.id }}`.

n8n's are JavaScript. What is a path, with the few calls that a filter of Liquid does as well, has an equal
here; anything else stays as it stands and is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# From the name of a node ("" for the one before) to the path of its output here; None: unknown.
PathOf = Callable[[str], str | None]

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ROOT = re.compile(
    r"""\s*(?:
        (?P<json>\$json|\$input\.(?:item|first\(\))\.json)
      | \$\(\s*(?P<q1>["'])(?P<named>.+?)(?P=q1)\s*\)\.(?:item|first\(\)|last\(\))\.json
      | \$node\[\s*(?P<q2>["'])(?P<old>.+?)(?P=q2)\s*\]\.json
      | (?P<now>\$now|\$today)
    )""",
    re.VERBOSE,
)
_PART = re.compile(
    r"""\??\.?\[\s*(?:(\d{1,6})|(["'])([\w\- ]+)\2)\s*\]|\??\.([A-Za-z_$][\w$]*)(?!\w*\()"""
)
_CALL = re.compile(r"\??\.(toUpperCase|toLowerCase|trim|toString|toISO|toISOString)\(\)")
_LENGTH = "length"
_DEFAULT = re.compile(r"""\s*(?:\|\||\?\?)\s*(?:(["'])([^"'{}|]*)\1|(-?\d+(?:\.\d+)?))\s*$""")
_FILTERS = {"toUpperCase": " | upcase", "toLowerCase": " | downcase", "trim": " | strip"}


@dataclass(slots=True)
class Expressions:
    """Reads the expressions of one node. `unread` are those that have no equal."""

    path_of: PathOf
    unread: list[str] = field(default_factory=list)

    def read(self, value: Any) -> Any:
        """A parameter as n8n keeps it: text that begins with `=` holds expressions."""
        if isinstance(value, str):
            return self._text(value[1:]) if value.startswith("=") else value
        if isinstance(value, dict):
            return {name: self.read(part) for name, part in value.items()}
        return [self.read(part) for part in value] if isinstance(value, list) else value

    def text(self, value: Any) -> str:
        read = self.read(value)
        return read if isinstance(read, str) else "" if read is None else str(read)

    def _text(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._expression(found[1].strip()), text)

    def _expression(self, script: str) -> str:
        made = self._path(script)
        if made is None:
            self.unread.append(script)
            return f"[{script}]"
        return "{{ " + made + " }}"

    def _path(self, script: str) -> str | None:
        root = _ROOT.match(script)
        if root is None:
            return None
        begin = "now" if root["now"] else self.path_of(root["named"] or root["old"] or "")
        if begin is None:
            return None
        return _rest(begin, script, root.end())


def _rest(path: str, script: str, at: int) -> str | None:
    while part := _PART.match(script, at):
        path += _part(part)
        at = part.end()
    filters = ""
    while call := _CALL.match(script, at):
        filters += _FILTERS.get(call[1], "")
        at = call.end()
    if otherwise := _DEFAULT.match(script, at):
        words = otherwise[3] if otherwise[3] else f'"{otherwise[2]}"'
        return f"{path}{filters} | default: {words}"
    return path + filters if not script[at:].strip() else None


def _part(part: re.Match[str]) -> str:
    place, _, quoted, name = part.groups()
    if place is not None:
        return f"[{place}]"
    if name is not None:
        return ".size" if name == _LENGTH else f".{name}"
    return f".{quoted}" if re.fullmatch(r"[\w-]+", quoted) else f'["{quoted}"]'
