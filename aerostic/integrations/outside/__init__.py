"""The one way to addresses that a tenant chose: HTTP steps, outgoing webhooks, files and pages by URL."""

from aerostic.integrations.outside.client import (
    Answer,
    NoAnswer,
    OutsideClient,
    OutsideProblem,
    Refused,
    Request,
    TooBig,
    Unreadable,
    ask,
)

__all__ = [
    "Answer",
    "NoAnswer",
    "OutsideClient",
    "OutsideProblem",
    "Refused",
    "Request",
    "TooBig",
    "Unreadable",
    "ask",
]
