"""The terminal: messages go to standard error, so that standard output stays clean."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

console = Console(stderr=True)
output = Console()


def warn(text: str) -> None:
    """A line that a user should not overlook."""
    console.print(f"[yellow]Warning:[/] {escape(text)}", highlight=False, soft_wrap=True)
