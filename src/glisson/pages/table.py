"""A table for pages, Markdown and CSV files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.files.atomic import atomic_path
from glisson.files.csv_tables import write_cells


@dataclass(frozen=True)
class Cell:
    """A table's cell on a page.

    Attributes:
        text: what is read; a `Markup` is HTML, all else is escaped.
        sort: the key that its column is sorted by, empty last; None for the text.
        css: classes of the element.
        columns: how many it spans.
    """

    text: str
    sort: str | None = None
    css: str = ""
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: of its files.
        title: above it.
        header: names of its columns.
        rows: cells, each row as long as the header; the first cell names the row.
        note: below it.
        css: classes of the element on a page.
        footer: a last row, or empty.
    """

    name: str
    title: str
    header: tuple[str | Cell, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    note: str = ""
    css: str = ""
    footer: tuple[str | Cell, ...] = ()

    @property
    def text_header(self) -> list[str]:
        """The header without classes of cells."""
        return _texts(self.header)

    @property
    def text_rows(self) -> list[list[str]]:
        """The rows without classes of cells."""
        return [_texts(row) for row in self.rows]

    def markdown(self) -> str:
        """Return the table in GitHub's Markdown."""
        rule = ["---"] + ["---:"] * (len(self.header) - 1)
        lines = [self.text_header, rule, *self.text_rows]
        body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"**{self.title}**\n\n{body}\n" + (f"\n{self.note}\n" if self.note else "")

    def csv(self) -> str:
        """Return the table as comma-separated values, without title and note."""
        text = io.StringIO()
        write_cells(text, (self.text_header, *self.text_rows), line_ending="\n")
        return text.getvalue()


def _texts(row: Sequence[str | Cell]) -> list[str]:
    return [cell.text if isinstance(cell, Cell) else cell for cell in row]


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write each table as CSV and Markdown.

    Raises:
        OutputError: as `atomic_path`.
    """
    for table in tables:
        for suffix, text in ((".csv", table.csv()), (".md", table.markdown())):
            with atomic_path(folder / f"{table.name}{suffix}") as unfinished:
                unfinished.write_text(text, encoding="utf-8")
