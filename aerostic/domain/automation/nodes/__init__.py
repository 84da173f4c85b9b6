"""Every kind of node, in the order of the palette. A kind that is not listed does not exist."""

from aerostic.domain.automation.nodes.base import Node

NODES: tuple[type[Node], ...] = ()

BY_KIND: dict[str, type[Node]] = {one.kind: one for one in NODES}
