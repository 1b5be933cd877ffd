"""One call for all modules of a model, and modules run for many lanes."""
