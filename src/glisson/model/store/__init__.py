"""Models of this machine: the shipped model, added models, and known models to download."""
