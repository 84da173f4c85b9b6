"""Secrets of a workspace for the services that its workflows call: kept sealed, never shown again."""
