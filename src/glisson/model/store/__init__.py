"""Models of this machine: the shipped one, those that were added, and how to add more."""
