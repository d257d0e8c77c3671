"""No text of a stranger steers the terminal."""

from __future__ import annotations

import io
import logging

import pytest
from rich.table import Table
from rich.text import Text

from glisson.cli.console import console
from glisson.printable import PrintableFormatter

HOSTILE = "v1\x1b]0;title\x07\x1b[2J\x9b1m\u202ecba\r"


@pytest.mark.parametrize("kind", [str, Text, "table"])
def test_control_characters_of_texts_are_not_printed(kind: object) -> None:
    shown: object = HOSTILE
    if kind is Text:
        shown = Text(HOSTILE)
    elif kind == "table":
        shown = Table("model")
        shown.add_row(HOSTILE)
    ours = type(console)(file=io.StringIO(), force_terminal=True, width=60)
    ours.print(shown, style="bold red")
    text = ours.file.getvalue()
    assert "\x1b[1;31m" in text  # rich's own colours stay
    assert "title" in text
    for character in ("\x1b]", "\x07", "\x1b[2J", "\x9b", "\u202e", "\r"):
        assert character not in text


def test_logs_are_printable_too() -> None:
    record = logging.LogRecord("a", logging.ERROR, "", 1, "%s", (HOSTILE,), None)
    assert PrintableFormatter("%(message)s").format(record).isprintable()
