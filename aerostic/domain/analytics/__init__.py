"""How the workspace is doing: figures of days, counted from its own rows."""
