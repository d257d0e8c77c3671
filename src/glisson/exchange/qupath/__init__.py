"""QuPath projects made without QuPath, and the rules of what QuPath 0.5 to 0.7 reads."""
