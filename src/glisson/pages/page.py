"""One self-contained HTML page that downloads nothing and needs no script."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from glisson.files.atomic import atomic_path
from glisson.pages.table import Cell

_STYLE, _SCRIPT = "style.css", "page.js"


def write_page(
    path: Path, room: str, template: str, has_inline_styles: bool = False, **view: object
) -> None:
    """Write a page from a template that extends `page.html.j2`.

    Style and script of the page are those of this package, with `style.css` and `page.js` of the
    room's own templates after them. The browser may run and download nothing else.

    Args:
        path: the page.
        room: the package whose `templates` folder holds the template.
        template: the template's name.
        has_inline_styles: whether elements have styles of their own, as figures of matplotlib do.
        view: values of the template.

    Raises:
        OutputError: the file cannot be written.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(room), PackageLoader("glisson.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_cell"] = lambda cell: cell if isinstance(cell, Cell) else Cell(cell)
    style, script = (
        read_part("glisson.pages", part) + read_part(room, part) for part in (_STYLE, _SCRIPT)
    )
    html = environment.get_template(template).render(
        style=style, script=script, policy=_policy(style, script, has_inline_styles), **view
    )
    with atomic_path(path) as unfinished:
        # the name of a file need not be text that UTF-8 can hold
        unfinished.write_text(html, encoding="utf-8", errors="replace")


def read_part(room: str, name: str) -> str:
    """Read a room's style or script; empty where the room has none.

    Both are ours, and free of what would end their elements.
    """
    file = resources.files(room) / "templates" / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _policy(style: str, script: str, has_inline_styles: bool) -> str:
    """Allow the browser this script and style, pictures inside the page, and nothing else."""
    styles = "unsafe-inline" if has_inline_styles else _hash(style)
    scripts = _hash(script) if script else "none"
    return (
        f"default-src 'none'; img-src data:; style-src '{styles}'; script-src '{scripts}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
