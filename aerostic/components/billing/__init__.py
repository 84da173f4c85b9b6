"""Parts of the billing page."""
