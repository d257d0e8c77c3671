"""Tables of evaluations and studies on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table as RichTable

if TYPE_CHECKING:
    from glisson.pages import Table


def draw_table(table: Table, title: str | None = None) -> RichTable:
    """Draw a table with its note; cells fold, so that eleven numbers fit into 80 columns."""
    drawn = RichTable(
        title=title or table.title,
        title_justify="left",
        caption=table.note,
        caption_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for number, name in enumerate(table.text_header):
        drawn.add_column(escape(name), justify="right" if number else "left", overflow="fold")
    for row in table.text_rows:
        drawn.add_row(*map(escape, row))
    return drawn
