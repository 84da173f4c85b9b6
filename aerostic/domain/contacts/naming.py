"""What a contact is called on a screen, and where it stands in the alphabet."""

from aerostic.domain.contacts import phones
from aerostic.domain.contacts.words import fold

NAMELESS = "Unknown contact"
LONGEST_SORT_NAME = 120


def display_name(name: str, profile_name: str, phone: str | None) -> str:
    """The name given by the team, else the person's own, else the number."""
    return name or profile_name or (phones.display(phone) if phone else NAMELESS)


def sort_name(name: str, profile_name: str, phone: str | None) -> str:
    """The folded name by which lists are ordered. Belongs in every row of contacts that is written."""
    return fold(name or profile_name or phone or NAMELESS)[:LONGEST_SORT_NAME]
