"""A run: slides from end to end."""
