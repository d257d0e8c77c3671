"""Small pictures of tracts, each with its outline, for the report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from glisson.classes import CANDIDATE_COLOUR, PORTAL
from glisson.exchange.dashes import draw_dashed
from glisson.files.atomic import atomic_path
from glisson.frames import RegionUm
from glisson.regions import Candidate, PortalArea, Tract
from glisson.slides import Slide, SlideInfo

MOST_THUMBNAILS = 60
"""Of a slide; if there are more tracts, doubtful and large tracts come first."""
MOST_CANDIDATE_THUMBNAILS = 20
"""Of a slide; if there are more candidates, the most probable come first."""
DOUBTFUL = 0.85
"""Mean portal probability below which a tract is uncertain. Of the tracts that the default model
finds on phantoms, half are right below it, and four of five above."""

_SIDE_PX = 144
_DRAWN_AT = 3
"""The outline is drawn on a picture this many times larger, which smooths it."""
_MARGIN_UM = 40.0
_LEAST_SIDE_UM = 160.0
_QUALITY = 72


def name_thumbnail(number: int) -> str:
    """Return the file name of a tract's thumbnail."""
    return f"PT-{number:03d}.jpg"


def name_candidate_thumbnail(number: int) -> str:
    """Return the file name of a candidate's thumbnail."""
    return f"candidate-{number:03d}.jpg"


def write_thumbnails(
    folder: Path, slide: Slide, tracts: Iterable[Tract], candidates: Iterable[Candidate] = ()
) -> None:
    """Write a JPEG of 144 px, 4 to 8 kB, for each of at most 60 tracts and 20 candidates.

    Candidates are outlined with dashes.

    Raises:
        OutputError: a file cannot be written.
    """
    ordered = sorted(tracts, key=lambda t: (not is_doubtful(t.probability), -t.polygon_l0.area))
    for tract in ordered[:MOST_THUMBNAILS]:
        _write(folder / name_thumbnail(tract.number), _draw(slide, tract))
    probable = sorted(candidates, key=lambda area: (-(area.probability or 0), area.number))
    for candidate in probable[:MOST_CANDIDATE_THUMBNAILS]:
        _write(folder / name_candidate_thumbnail(candidate.number), _draw(slide, candidate))


def _write(path: Path, picture: Image.Image) -> None:
    with atomic_path(path) as unfinished:
        picture.save(unfinished, format="JPEG", quality=_QUALITY, optimize=True, subsampling=0)


def is_doubtful(probability: float | None) -> bool:
    """Return True if the model is unsure of a tract with this mean portal probability."""
    return probability is not None and probability < DOUBTFUL


def _draw(slide: Slide, area: PortalArea) -> Image.Image:
    region = _find_square(slide.info, area)
    # Read at the picture's final scale: more detail would be lost.
    pixels = slide.read(region, region.width_um / _SIDE_PX).rgb
    picture = Image.fromarray(pixels.repeat(_DRAWN_AT, axis=0).repeat(_DRAWN_AT, axis=1))
    mpp = region.width_um / picture.width
    draw = ImageDraw.Draw(picture)
    pixel = slide.info.pixel_size
    scale = np.array([pixel.x_um, pixel.y_um]) / mpp
    corner = np.array([region.x_um, region.y_um]) / mpp
    for ring in (area.outline_l0.exterior, *area.outline_l0.interiors):
        points = [(float(x), float(y)) for x, y in np.asarray(ring.coords) * scale - corner]
        if isinstance(area, Candidate):
            draw_dashed(draw, points, CANDIDATE_COLOUR, 3 * _DRAWN_AT, 5 * _DRAWN_AT)
        else:
            draw.line(points, fill=(20, 20, 20), width=4 * _DRAWN_AT, joint="curve")
            draw.line(points, fill=PORTAL.colour, width=3 * _DRAWN_AT - 1, joint="curve")
    return picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)


def _find_square(info: SlideInfo, area: PortalArea) -> RegionUm:
    pixel = info.pixel_size
    left, top, right, bottom = area.outline_l0.bounds
    x_um, y_um = (left + right) / 2 * pixel.x_um, (top + bottom) / 2 * pixel.y_um
    longest_um = max((right - left) * pixel.x_um, (bottom - top) * pixel.y_um)
    side_um = max(_LEAST_SIDE_UM, longest_um + 2 * _MARGIN_UM)
    return RegionUm(x_um - side_um / 2, y_um - side_um / 2, side_um, side_um)
