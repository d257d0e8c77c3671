"""An evaluation on one self-contained page."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson import pages
from glisson.pages import Table


@dataclass(frozen=True)
class Picture:
    """Picture of the page.

    Attributes:
        title: above the picture.
        path: a PNG file in the folder of the page.
        note: below the picture.
    """

    title: str
    path: Path
    note: str = ""

    @property
    def uri(self) -> str:
        """Return the file as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.path.read_bytes()).decode()


@dataclass(frozen=True)
class Link:
    """Link to another page.

    Attributes:
        text: of the link.
        target: path of the other page, relative to this page.
    """

    text: str
    target: str

    @property
    def address(self) -> str:
        """Return the target as a URL."""
        return urllib.parse.quote(self.target)


def write_page(
    path: Path,
    title: str,
    facts: Sequence[str | Link],
    warnings: Sequence[str],
    parts: Sequence[Table | Picture],
) -> None:
    """Write facts, warnings, then tables and pictures in order.

    Raises:
        OutputError: the file cannot be written.
    """
    pages.write_page(
        path,
        "glisson.evaluation",
        "evaluation.html.j2",
        page_title=title,
        facts=[(fact, isinstance(fact, Link)) for fact in facts],
        warnings=warnings,
        parts=[(part, isinstance(part, Table)) for part in parts],
    )
