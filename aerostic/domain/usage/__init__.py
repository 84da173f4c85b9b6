"""What a workspace has used, as events that never change."""
