"""The command line: one short file per verb."""

from __future__ import annotations

from glisson.cli.app import main

__all__ = ["main"]
