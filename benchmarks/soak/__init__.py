"""Soak test: hundreds of small slides on a cluster whose processes die at random."""
