"""The terminal: messages go to standard error, so that standard output stays clean."""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment

from glisson.printable import make_printable


class _PrintableConsole(Console):
    """A console that no text can steer: only rich itself writes control characters."""

    def render(self, *arguments: Any, **options: Any) -> Iterator[Segment]:
        """Render as rich does, without the control characters of texts."""
        for segment in super().render(*arguments, **options):
            if segment.control:
                yield segment
            else:
                yield Segment(make_printable(segment.text), segment.style)


console = _PrintableConsole(stderr=True)
output = _PrintableConsole()

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
