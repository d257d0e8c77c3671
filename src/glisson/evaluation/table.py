"""A table that can be written as Markdown, CSV and HTML."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from glisson.files.csv_tables import escape_cell
from glisson.scores import Interval


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        name: of its files.
        title: above it.
        header: names of its columns.
        rows: cells, each row as long as the header.
        note: below it.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        """The table in GitHub's Markdown."""
        lines = [self.header, ["---"] + ["---:"] * (len(self.header) - 1), *self.rows]
        body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"**{self.title}**\n\n{body}\n" + (f"\n{self.note}\n" if self.note else "")

    def csv(self) -> str:
        """The table as comma-separated values, without title and note."""
        text = io.StringIO()
        rows = ([escape_cell(cell) for cell in row] for row in (self.header, *self.rows))
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue()

    def html(self) -> str:
        """The table as HTML."""
        head = _cells("th", self.header)
        body = "\n".join(_cells("td", row) for row in self.rows)
        note = f"<p class=note>{html.escape(self.note)}</p>" if self.note else ""
        return (
            f"<figure><figcaption>{html.escape(self.title)}</figcaption>"
            f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{note}</figure>"
        )


def number(value: float, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def interval(value: Interval) -> str:
    """A score with its interval, which one patient does not give."""
    if math.isnan(value.low):
        return number(value.value)
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
