"""Text for a terminal, without the control characters that would steer it."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""All but tab and line end, with the marks that turn the direction of writing."""


def make_printable(text: str) -> str:
    """Replace control characters by `?`: names and models of strangers may hold any."""
    return _CONTROL.sub("?", text)


class PrintableFormatter(logging.Formatter):
    """A formatter of log records for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text without control characters."""
        return make_printable(super().format(record))


def log_to_terminal(level: int) -> None:
    """Log to standard error from a level on, unless the root logger has a handler already."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
