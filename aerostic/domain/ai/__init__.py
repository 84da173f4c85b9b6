"""AI agents: who they are, what they may do, what they remember, and what each turn cost."""
