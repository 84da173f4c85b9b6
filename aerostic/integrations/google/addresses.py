"""Where Google is: its own four hosts, or a stand-in that serves them all under one address."""

from dataclasses import dataclass

from aerostic.core.settings import settings


@dataclass(frozen=True, slots=True)
class Addresses:
    """`consent` is opened by a browser; the others are called from here."""

    consent: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token: str = "https://oauth2.googleapis.com/token"
    revoke: str = "https://oauth2.googleapis.com/revoke"
    person: str = "https://openidconnect.googleapis.com/v1/userinfo"
    drive: str = "https://www.googleapis.com/drive/v3"
    upload: str = "https://www.googleapis.com/upload/drive/v3"
    sheets: str = "https://sheets.googleapis.com/v4/spreadsheets"


def addresses() -> Addresses:
    """As the settings say."""
    base = settings().google_url
    if not base:
        return Addresses()
    return Addresses(
        consent=f"{_for_browsers(base)}/o/oauth2/v2/auth",
        token=f"{base}/token",
        revoke=f"{base}/revoke",
        person=f"{base}/v1/userinfo",
        drive=f"{base}/drive/v3",
        upload=f"{base}/upload/drive/v3",
        sheets=f"{base}/v4/spreadsheets",
    )


def _for_browsers(base: str) -> str:
    """The simulator's own port is not open to browsers: the product passes them on."""
    simulator = settings().simulator_url
    inside = bool(simulator) and base.startswith(simulator)
    return settings().public_url + base.removeprefix(simulator) if inside else base


def redirect_address() -> str:
    """Where Google sends a browser back to, as it must be registered with the OAuth client."""
    return f"{settings().public_url}/oauth/google/callback"
