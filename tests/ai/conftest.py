"""Agents, with Gemini's stand-in where a test asks for `google`."""

from tests.gemini import google, google_stand_in  # noqa: F401
