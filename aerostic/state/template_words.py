"""Meta's words about templates as people read them, and their colours."""

from aerostic.domain.templates.languages import LANGUAGES, name_of

STATUSES: dict[str, tuple[str, str]] = {
    "DRAFT": ("Draft", "gray"),
    "PENDING": ("In review", "blue"),
    "APPROVED": ("Approved", "jade"),
    "REJECTED": ("Rejected", "red"),
    "PAUSED": ("Paused", "amber"),
    "DISABLED": ("Disabled", "red"),
    "IN_APPEAL": ("In appeal", "blue"),
    "PENDING_DELETION": ("Being deleted", "amber"),
    "LIMIT_EXCEEDED": ("Held back", "red"),
    "ARCHIVED": ("Archived", "gray"),
    "DELETED": ("Deleted", "gray"),
}
QUALITIES = {"GREEN": "High", "YELLOW": "Medium", "RED": "Low"}
CATEGORIES = {
    "MARKETING": "Marketing",
    "UTILITY": "Utility",
    "AUTHENTICATION": "Authentication",
}
LANGUAGE_CHOICES = tuple((code, f"{words} ({code})") for code, words in LANGUAGES.items())


def status_words(status: str) -> str:
    return STATUSES.get(status, (status.replace("_", " ").capitalize(), ""))[0]


def status_colour(status: str) -> str:
    return STATUSES.get(status, ("", "gray"))[1]


def category_words(category: str) -> str:
    return CATEGORIES.get(category, category.capitalize())


def language_words(code: str) -> str:
    return name_of(code)
