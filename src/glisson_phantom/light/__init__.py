"""From dyes to pixels: stain, what lies on the glass, and the scanner."""
