"""Documents that agents answer from: read, cut into passages, found again with their place."""
