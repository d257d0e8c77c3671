"""Hundreds of small slides on a cluster whose processes are killed at random."""
