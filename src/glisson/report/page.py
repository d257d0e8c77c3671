"""One self-contained HTML page a run."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from glisson.files import atomic_path

_PICTURE_PX = 1400
_PICTURE_QUALITY = 82


@dataclass(frozen=True)
class ReportSlide:
    """What the page needs of one slide.

    Attributes:
        name: the slide's name.
        record: the content of `biopsy.json`; empty when failed.
        overview: the overview picture, or None.
        error: why it failed, or None.
    """

    name: str
    record: dict[str, Any]
    overview: Path | None
    error: str | None


@dataclass(frozen=True)
class ReportRun:
    """What the page says of the run.

    Attributes:
        when: date and time.
        version: of Glisson.
        model: name and version.
        trained_on: the model's training data, in words.
        research_use: the sentence on what results are for.
    """

    when: str
    version: str
    model: str
    trained_on: str
    research_use: str


def write_report(path: Path, run: ReportRun, slides: Sequence[ReportSlide]) -> None:
    """Write the page; pictures are inside it, so that the one file can be sent on.

    Raises:
        OutputError: the file cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("glisson.report"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2")
    html = page.render(run=run, slides=[_view(slide) for slide in slides])
    with atomic_path(path) as unfinished:
        unfinished.write_text(html, encoding="utf-8")


def _view(slide: ReportSlide) -> dict[str, Any]:
    """A slide as the template shows it: numbers are already text."""
    if slide.error is not None:
        return {"name": slide.name, "error": slide.error}
    biopsy = slide.record["biopsy"]
    reason = biopsy["tract_count_reason"]
    return {
        "name": slide.name,
        "error": None,
        "tissue": f"{biopsy['tissue_area_mm2']:.2f}",
        "percent": _number(biopsy["portal_percent"], ".1f"),
        "total": _number(biopsy["tract_count_total"], "d"),
        "complete": _number(biopsy["tract_count_complete"], "d"),
        "partial": _number(biopsy["tract_count_partial"], "d"),
        "warnings": [*slide.record["warnings"], *([reason] if reason else [])],
        "definition": biopsy["complete_definition"],
        "tracts": slide.record["tracts"],
        "picture": _embedded(slide.overview),
        "facts": _facts(slide.record),
    }


def _number(value: float | None, style: str) -> str:
    return "–" if value is None else format(value, style)


def _facts(record: dict[str, Any]) -> str:
    slide = record["slide"]
    seconds = sum(record["seconds_per_stage"].values())
    return (
        f"{slide['file']}, {slide['format']}, {slide['width_l0']} x {slide['height_l0']} px of "
        f"{slide['pixel_width_um']:.4g} µm ({slide['pixel_size_source']}), {seconds:.1f} s."
    )


def _embedded(path: Path | None) -> str | None:
    """A picture as a data URI, scaled down to what a page shows."""
    if path is None or not path.is_file():
        return None
    with Image.open(path) as picture:
        picture.thumbnail((_PICTURE_PX, _PICTURE_PX), Image.Resampling.BOX)
        data = io.BytesIO()
        picture.convert("RGB").save(data, format="JPEG", quality=_PICTURE_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
