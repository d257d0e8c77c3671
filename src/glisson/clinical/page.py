"""A study on one self-contained page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from glisson.clinical.analyses import Study
from glisson.clinical.figures import INK, SOFT, StudyFigure
from glisson.clinical.methods import describe_methods
from glisson.clinical.notes import list_notes
from glisson.pages import Table, write_page

RESEARCH_USE = "For research, not for diagnosis."
_TEXT_COLUMNS = ("left out", "outcome", "meaning", "difference of κ")
_ID = re.compile(r'(\bid="|href="#|url\(#)')


@dataclass(frozen=True)
class _Section:
    """Section of the page: heading, introduction, names of its tables and figures."""

    title: str
    text: str
    tables: tuple[str, ...]
    figures: tuple[str, ...] = ()


_SECTIONS = (
    _Section(
        "Counts of portal tracts",
        "κ falls with the distance of two counts: by itself (linear), or by its square "
        "(quadratic, which forgives small differences and is usually the higher one). Bias says "
        "whether one counts more; limits say how far two counts of one biopsy may lie apart.",
        ("counts", "kappa-differences", "adequacy"),
        (
            "counts",
            "bland-altman-model-report",
            "bland-altman-model-second",
            "bland-altman-report-second",
        ),
    ),
    _Section(
        "Portal area and stage",
        "Does portal area grow with stage, and do stages differ? A correlation over all stages may "
        "rest on cirrhosis alone; the pairs and the box plot show where the difference lies.",
        ("stage", "stage-pairs", "scale"),
        ("portal-by-stage",),
    ),
    _Section(
        "Length and area",
        "A ruler measures the core on the slide, the model the tissue it found.",
        ("length",),
        ("bland-altman-length", "area-length"),
    ),
    _Section("The series", "Beside it what the paper prints of its own.", ("described",)),
    _Section("Who entered", "Every case is in an analysis, or here is why not.", ("cases",)),
)


def write_study_page(
    path: Path, study: Study, tables: Sequence[Table], figures: Sequence[StudyFigure], folder: Path
) -> None:
    """Write the page with its figures as SVG in the page's colours.

    Args:
        path: the page.
        study: for its notes and methods.
        tables: all tables.
        figures: the figures on disk.
        folder: of their SVG files.

    Raises:
        OutputError: the file cannot be written.
    """
    paragraphs = describe_methods(study).split("\n\n")[1:]
    write_page(
        path,
        "glisson.clinical",
        "study.html.j2",
        has_inline_styles=True,
        slides=len(study.cases.cases),
        patients=len({case.patient for case in study.cases.cases}),
        synthetic=study.cases.synthetic,
        notes=list_notes(study),
        research_use=RESEARCH_USE,
        sections=_SECTIONS,
        tables={table.name: table for table in tables},
        figures={figure.name: figure for figure in figures},
        drawn={figure.name: _embed_svg(figure, folder) for figure in figures},
        methods=[part.strip("*") for part in paragraphs if part.strip()],
        text_columns=_TEXT_COLUMNS,
    )


def _embed_svg(figure: StudyFigure, folder: Path) -> Markup:
    """Return the SVG element with unique names and the page's colours."""
    text = (folder / f"{figure.name}.svg").read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _ID.sub(rf"\g<1>{figure.name}-", text)
    text = text.replace(INK, "var(--ink)").replace(SOFT, "var(--soft)")
    text = re.sub(r"fill: #ffffff\b", "fill: none", text)
    # The page sets the width; the file has the width of a printed figure.
    head = re.sub(r' (width|height)="[^"]*pt"', "", text[: text.index(">")])
    label = f' role="img" aria-label="{figure.title}"'
    return Markup(head + label + text[text.index(">") :])
