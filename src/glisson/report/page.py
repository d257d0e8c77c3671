"""One self-contained HTML page a run, that needs nothing from elsewhere and no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from glisson.files.atomic import atomic_path
from glisson.report.cohort import HEADINGS, view_cohort
from glisson.report.inputs import ReportRun, ReportSlide
from glisson.report.slide_section import most_rows, view_slide

_MOST_OPEN = 6
"""Slides of a run up to which all are shown unfolded."""
MOST_SECTIONS = 1000
"""Slides of a run up to which each has a section; of more, those without a result have one."""


def write_report(path: Path, run: ReportRun, slides: Sequence[ReportSlide]) -> None:
    """Write the page; pictures are inside it, so that the one file can be sent on.

    Raises:
        OutputError: the file cannot be written.
    """
    html = _render(run, slides)
    with atomic_path(path) as unfinished:
        # a file's name need not be text that UTF-8 can hold
        unfinished.write_text(html, encoding="utf-8", errors="replace")


def _render(run: ReportRun, slides: Sequence[ReportSlide]) -> str:
    environment = Environment(
        loader=PackageLoader("glisson.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _part("style.css"), _part("page.js")
    numbers = _with_section(slides)
    most_tracts = most_rows(slides)
    return environment.get_template("report.html.j2").render(
        run=run,
        cohort=view_cohort(slides),
        headings=HEADINGS,
        slide_count=len(slides),
        synthetic_count=sum(slide.is_synthetic for slide in slides),
        sections={
            number: view_slide(slides[number - 1], len(slides), most_tracts) for number in numbers
        },
        unfolded=len(slides) <= _MOST_OPEN,
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _with_section(slides: Sequence[ReportSlide]) -> list[int]:
    """Numbers, from 1, of the slides that have a section: a browser has to hold them all."""
    if len(slides) <= MOST_SECTIONS:
        return list(range(1, len(slides) + 1))
    failed = [number for number, slide in enumerate(slides, 1) if slide.error is not None]
    return failed[:MOST_SECTIONS]


def _part(name: str) -> str:
    """Ours, and free of what would end its element."""
    return (resources.files("glisson.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """The browser is to run this script, use this style and fetch nothing."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
