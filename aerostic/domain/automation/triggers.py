"""Which triggers hear what happened, in the order in which their workflows were made."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import Trigger
from aerostic.domain.signals.models import Signal, SignalKind

KEPT = 2_000  # configurations in memory


@dataclass(frozen=True, slots=True)
class Listening:
    """A trigger of an enabled workflow. Its id is new whenever a version is published."""

    id: UUID
    workflow_id: UUID
    version_id: UUID
    version_number: int
    node_id: str
    kind: str
    config: Any  # as its kind reads it; None where it can not

    def hears(self, event: str, parts: Mapping[str, Any]) -> bool:
        kind = BY_KIND.get(self.kind)
        if kind is None or not issubclass(kind, Trigger) or kind.event != event:
            return False
        return self.config is not None and kind.matches(self.config, parts)


_LISTENING = """
    select t.id, t.workflow_id, t.version_id, v.number, t.node_id, t.kind, t.config
    from workflow_triggers t
    join workflows w on w.tenant_id = t.tenant_id and w.id = t.workflow_id
    join workflow_versions v on v.tenant_id = t.tenant_id and v.id = t.version_id
    where t.tenant_id = %s and t.kind = any(%s) and w.is_enabled
    order by w.created_at, w.id, t.id
"""
_configs: OrderedDict[UUID, Any] = OrderedDict()


def listening(ctx: Context, events: Iterable[str]) -> list[Listening]:
    """The triggers that may hear one of these events."""
    wanted = set(events)
    kinds = [
        kind.kind for kind in BY_KIND.values() if issubclass(kind, Trigger) and kind.event in wanted
    ]
    if not kinds:
        return []
    cursor = ctx.cursor()
    cursor.execute(_LISTENING, (ctx.tenant_id, kinds), prepare=True)
    return [
        Listening(row[0], row[1], row[2], row[3], row[4], row[5], _config(row[0], row[5], row[6]))
        for row in cursor.fetchall()
    ]


def _config(trigger_id: UUID, kind: str, stored: Mapping[str, Any]) -> Any:
    """Read once: a trigger never changes."""
    if trigger_id in _configs:
        _configs.move_to_end(trigger_id)
        return _configs[trigger_id]
    try:
        config = BY_KIND[kind].Config.model_validate(stored)
    except ValidationError:
        config = None  # the linter refused it once; a newer product may refuse more
    _configs[trigger_id] = config
    if len(_configs) > KEPT:
        _configs.popitem(last=False)
    return config


_EARLIER = """
    select exists (select from messages m
        where m.tenant_id = %s and m.conversation_id = any(
                select id from conversations where tenant_id = %s and contact_id = %s)
            and m.direction = 'inbound' and m.id < %s)
"""


def is_first(ctx: Context, signal: Signal, listening: Sequence[Listening]) -> bool:
    """Whether the contact had not written before. Asked only where a trigger wants to know."""
    if signal.kind != SignalKind.MESSAGE_RECEIVED or signal.message_id is None:
        return False
    if not any(getattr(one.config, "new_only", False) for one in listening):
        return False
    cursor = ctx.cursor()
    values = (ctx.tenant_id, ctx.tenant_id, signal.contact_id, signal.message_id)
    cursor.execute(_EARLIER, values, prepare=True)
    found = cursor.fetchone()
    return found is not None and not found[0]
