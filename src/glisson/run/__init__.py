"""Slides from end to end: the order of the steps, and where the work is done."""
