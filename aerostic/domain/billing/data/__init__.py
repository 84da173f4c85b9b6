"""Tables that come with the product: markets, and a rate card to begin with."""
