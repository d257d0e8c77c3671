"""How close phantoms come to measured liver histology: `make phantom-check`."""
