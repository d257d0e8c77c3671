"""Phantom slides on disk, with their truth as files, one or a whole study."""
