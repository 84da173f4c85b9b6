"""What a workspace may use: plans with limits, kept where the action happens."""
