"""The terminal: messages go to standard error, so that standard output stays clean."""

from __future__ import annotations

import codecs
import io
import unicodedata
from typing import Any

from rich.console import Console
from rich.markup import escape

console = Console(stderr=True)
output = Console()

_PLAIN = {
    "µ": "u", "²": "2", "³": "3", "±": "+/-", "×": "x", "≤": "<=", "≥": ">=", "–": "-", "—": "-",
    "−": "-", "→": "->", "…": "...", "•": "*", "·": ".", "κ": "kappa", "ρ": "rho", "≈": "~",
    "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip
_ERRORS = "glisson.plain"


def warn(text: str) -> None:
    """Print a warning that a user should not overlook."""
    console.print(f"[yellow]Warning:[/] {escape(text)}", highlight=False, soft_wrap=True)


def write_in_any_encoding(*streams: Any) -> None:
    """Let streams write plain letters for characters that their encoding lacks (cp932, ASCII)."""
    codecs.register_error(_ERRORS, _replace_by_plain)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replace_by_plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters by ASCII: `um` for µm, `e` for é, `?` where nothing is near."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = []
    for character in error.object[error.start : error.end]:
        letter = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        plain.append(_PLAIN.get(character) or letter or "?")
    return "".join(plain), error.end
