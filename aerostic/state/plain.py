"""What a page is sent: frozen views of the domain as plain dictionaries."""

from typing import Any

import orjson


def plain(view: Any) -> Any:
    """Dataclasses, ids, moments and enumerations as JSON knows them."""
    return orjson.loads(orjson.dumps(view))
