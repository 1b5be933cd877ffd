"""What models are made of, and what a call of them costs."""
