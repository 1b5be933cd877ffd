"""Parameters with constraints, and what is added to a loss for them."""
