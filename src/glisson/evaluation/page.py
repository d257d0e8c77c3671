"""An evaluation on disk: tables as Markdown, CSV and HTML, pictures, one page."""

from __future__ import annotations

import base64
import html
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.evaluation.table import Table
from glisson.files.atomic import atomic_path

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1b1b1b; }
figure { margin: 1.5rem 0; overflow-x: auto; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #888; }
.note { color: #555; font-size: .85rem; } img { max-width: 100%; }
.warning { background: #fff3d6; border-left: 4px solid #d1931f; padding: .5rem 1rem; }
"""


@dataclass(frozen=True)
class Picture:
    """A picture of the page, beside which its file lies.

    Attributes:
        title: above it.
        path: a PNG file.
        note: below it.
    """

    title: str
    path: Path
    note: str = ""


@dataclass(frozen=True)
class Link:
    """A fact that leads to another page.

    Attributes:
        text: what is read.
        target: path of the page, relative to this one.
    """

    text: str
    target: str


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Each table as CSV and Markdown."""
    for table in tables:
        for suffix, text in ((".csv", table.csv()), (".md", table.markdown())):
            with atomic_path(folder / f"{table.name}{suffix}") as unfinished:
                unfinished.write_text(text, encoding="utf-8")


def write_page(
    path: Path,
    title: str,
    facts: Sequence[str | Link],
    warnings: Sequence[str],
    parts: Sequence[Table | Picture],
) -> None:
    """One self-contained HTML page: facts, warnings, then tables and pictures in order."""
    told = "".join(f"<li>{_fact(fact)}</li>" for fact in facts)
    warned = "".join(f"<p class=warning>{html.escape(each)}</p>" for each in warnings)
    body = "\n".join(p.html() if isinstance(p, Table) else _picture(p) for p in parts)
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{html.escape(title)}</h1>{warned}<ul>{told}</ul>{body}</html>\n"
    )
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _fact(fact: str | Link) -> str:
    if isinstance(fact, str):
        return html.escape(fact)
    return f"<a href='{urllib.parse.quote(fact.target)}'>{html.escape(fact.text)}</a>"


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.path.read_bytes()).decode()
    title = html.escape(picture.title)
    return (
        f"<figure><figcaption>{title}</figcaption><img alt='{title}' "
        f"src='data:image/png;base64,{data}'><p class=note>{html.escape(picture.note)}</p></figure>"
    )
