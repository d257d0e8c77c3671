"""Plans of phantom biopsies, in numbers and vectors: disease, needle, layout, glass."""
