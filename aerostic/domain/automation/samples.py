"""Something to try a workflow out with, where nothing real has come yet: made up, in the true shape."""

from datetime import datetime
from typing import Any

from aerostic.domain.automation import scope

_MESSAGE: dict[str, Any] = {
    "id": "",
    "type": "text",
    "text": "Hello",
    "body": "Hello",
    "choice_id": "",
    "choice_title": "",
    "answers": {},
    "referral": None,
    "media_id": None,
}
_CONTACT: dict[str, Any] = {
    "id": "",
    "name": "Ada Lovelace",
    "phone": "+15550001111",
    "email": "ada@example.com",
    "language": "en",
    "country": "US",
    "attributes": {},
    "tags": [],
}
_OF_KINDS: dict[str, dict[str, Any]] = {
    "trigger.message": {"message": _MESSAGE},
    "trigger.keyword": {"message": _MESSAGE},
    "trigger.choice": {
        "message": {**_MESSAGE, "type": "interactive", "choice_id": "yes", "choice_title": "Yes"}
    },
    "trigger.flow_reply": {
        "message": {**_MESSAGE, "type": "interactive", "answers": {"name": "Ada"}}
    },
    "trigger.reaction": {"reaction": {"emoji": "👍", "message_id": ""}},
    "trigger.webhook": {
        "webhookPayload": {"body": {"order": {"id": 1042}}, "query": {}, "headers": {}}
    },
    "trigger.tag_added": {"tag": {"id": "", "name": "vip"}},
    "trigger.called": {"input": {}},
}
_WITHOUT_CONTACT = {"trigger.webhook", "trigger.schedule", "trigger.called"}


def given(kind: str, now: datetime) -> dict[str, Any]:
    """Parts of a scope for a trigger of that kind."""
    parts = dict(_OF_KINDS.get(kind, {}))
    if kind not in _WITHOUT_CONTACT:
        parts["contact"] = _CONTACT
    return {**parts, "trigger": {"kind": kind, "at": scope.clock(now)}}
