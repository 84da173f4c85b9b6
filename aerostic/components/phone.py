"""The phone beside the inbox: be a customer, with no server state of our own."""

from typing import Any

import reflex as rx

# Linked beside the component, which imports them by these names.
for _part in ("phone.css", "phone_parts.jsx", "phone_bubble.jsx", "phone_trouble.jsx"):
    rx.asset(_part, shared=True)
_source = rx.asset("phone.jsx", shared=True)


class Phone(rx.NoSSRComponent):
    """Speaks with the simulator over the page's own origin, so it needs no event of ours."""

    library = _source.importable_path
    tag = "Phone"

    #: Where the simulator's control door is.
    base: rx.Var[str]
    #: Fills its container without the frame of a device.
    compact: rx.Var[bool]


def phone(*, compact: bool = False, **props: Any) -> rx.Component:
    """A customer's phone."""
    return Phone.create(compact=compact, **props)
