"""The terminal: messages go to standard error, so that standard output stays clean."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True)
output = Console()
