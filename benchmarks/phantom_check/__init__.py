"""Comparison of phantoms with measured liver histology: `make phantom-check`."""
