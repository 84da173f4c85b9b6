"""Google's stand-in beside every test here."""

from tests.google import google_house, google_stand_in  # noqa: F401
