"""The overview picture: the slide with its tissue and numbered tracts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely import Polygon

from glisson.artefacts import Artefact, Kind
from glisson.classes import (
    CANDIDATE_COLOUR,
    PARTIAL_COLOUR,
    PORTAL,
    TISSUE_COLOUR,
    UNCOUNTED_COLOUR,
    Rgb,
)
from glisson.exchange.dashes import draw_dashed
from glisson.files.atomic import atomic_path
from glisson.frames import BoxPx, Frame, RegionUm
from glisson.regions import PortalArea, Regions, Tract
from glisson.slides import Slide
from glisson.tissue import TissueMap

_LONG_SIDE_PX = 2400
_MOST_MARGIN_UM = 300.0
_MARGIN_SHARE = 0.05
_FINEST_MPP = 1.0
_BAND_PX = 256
_LEGEND_PX = 44
_INK = (20, 20, 20)
_COMPRESSION = 3
"""Level of the PNG; level 9 takes three times as long and saves 2 %."""


@dataclass(frozen=True)
class _View:
    """The visible part of the slide, and its scale."""

    region_um: RegionUm
    mpp: float
    um_per_l0: tuple[float, float]

    def to_px(self, polygon_l0: Polygon) -> list[list[tuple[float, float]]]:
        """Return a polygon's rings in picture pixels."""
        scale = np.array(self.um_per_l0) / self.mpp
        corner = np.array([self.region_um.x_um, self.region_um.y_um]) / self.mpp
        rings = [polygon_l0.exterior, *polygon_l0.interiors]
        return [
            [(float(x), float(y)) for x, y in np.asarray(ring.coords) * scale - corner]
            for ring in rings
        ]


def write_overview(
    path: Path,
    slide: Slide,
    regions: Regions,
    artefacts: Sequence[Artefact] = (),
    tissue: TissueMap | None = None,
) -> None:
    """Write a PNG of at most 2400 px with the outlines of tissue, tracts, candidates and artefacts.

    Tissue is grey, complete tracts orange, partial tracts blue, tracts that do not count brown.
    Candidates are dashed in green, artefacts in the colour of their kind. Dust is left out: its
    outlines would hide the slide. The picture comes from the tissue map if that is fine enough,
    else from the slide.

    Raises:
        OutputError: the file cannot be written.
    """
    view = _choose_view(slide, regions)
    picture = _read_picture(_find_source(slide, view, tissue), view)
    draw = ImageDraw.Draw(picture)
    for fragment in regions.fragments:
        _draw_rings(draw, view.to_px(fragment.outline_l0), TISSUE_COLOUR, 2)
    shown = [artefact for artefact in artefacts if artefact.kind is not Kind.DUST]
    for artefact in shown:
        for ring in view.to_px(artefact.outline_l0):
            draw_dashed(draw, ring, artefact.kind.colour)
    _draw_portal_areas(draw, view, regions)
    framed = _add_legend(picture, view, _list_lines(regions, shown), slide.info.synthetic)
    with atomic_path(path) as unfinished:
        framed.save(unfinished, format="PNG", compress_level=_COMPRESSION)


def _draw_portal_areas(draw: ImageDraw.ImageDraw, view: _View, regions: Regions) -> None:
    """Draw tracts and candidates; texts last, so that no line hides a text."""
    for tract in regions.tracts:
        _draw_rings(draw, view.to_px(tract.outline_l0), _find_colour(tract), 3)
    for candidate in regions.candidates:
        for ring in view.to_px(candidate.outline_l0):
            draw_dashed(draw, ring, CANDIDATE_COLOUR, 3)
    for tract in regions.tracts:
        _write_label(draw, view, tract, str(tract.number))
    for candidate in regions.candidates:
        _write_label(draw, view, candidate, f"C{candidate.number}")


def _find_colour(tract: Tract) -> Rgb:
    if not tract.is_counted:
        return UNCOUNTED_COLOUR
    return PORTAL.colour if tract.complete else PARTIAL_COLOUR


def _choose_view(slide: Slide, regions: Regions) -> _View:
    info = slide.info
    pixel = (info.pixel_size.x_um, info.pixel_size.y_um)
    left, top, right, bottom = _find_extent(slide, regions)
    width_um, height_um = (right - left) * pixel[0], (bottom - top) * pixel[1]
    margin_um = min(_MOST_MARGIN_UM, _MARGIN_SHARE * max(width_um, height_um))
    region = RegionUm(
        left * pixel[0] - margin_um,
        top * pixel[1] - margin_um,
        width_um + 2 * margin_um,
        height_um + 2 * margin_um,
    )
    mpp = max(_FINEST_MPP, max(region.width_um, region.height_um) / _LONG_SIDE_PX)
    return _View(region, mpp, pixel)


def _find_extent(slide: Slide, regions: Regions) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the tissue; of the scanned area if there is no tissue."""
    if regions.fragments:
        bounds = np.array([fragment.polygon_l0.bounds for fragment in regions.fragments])
        low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])
    box, size = slide.info.bounds_l0, slide.info.size_l0
    if box is None:
        return 0.0, 0.0, float(size.width), float(size.height)
    return box.x_l0, box.y_l0, box.x_l0 + box.width_l0, box.y_l0 + box.height_l0


@dataclass(frozen=True)
class _Source:
    """A source of pixels: `read` returns a box of whole pixels of `mpp`."""

    mpp: float
    read: Callable[[BoxPx], NDArray[np.uint8]]


def _find_source(slide: Slide, view: _View, tissue: TissueMap | None) -> _Source:
    """Choose the tissue finder's picture, or the slide's coarsest level that is fine enough."""
    if tissue is not None and tissue.picture is not None and tissue.frame.mpp <= view.mpp:
        return _Source(tissue.frame.mpp, tissue.picture.crop)
    mpp = _find_level_mpp(slide, view.mpp)
    frame = Frame(slide.info.pixel_size, mpp)
    return _Source(mpp, lambda box: slide.read(frame.region_um(box), mpp).rgb)


def _read_picture(source: _Source, view: _View) -> Image.Image:
    """Read the view in bands, so that memory does not depend on the slide."""
    width_px = max(1, round(view.region_um.width_um / view.mpp))
    height_px = max(1, round(view.region_um.height_um / view.mpp))
    picture = Image.new("RGB", (width_px, height_px))
    for top_px in range(0, height_px, _BAND_PX):
        rows = min(_BAND_PX, height_px - top_px)
        top_um = view.region_um.y_um + top_px * view.mpp
        region = RegionUm(view.region_um.x_um, top_um, width_px * view.mpp, rows * view.mpp)
        picture.paste(_read_scaled(source, region, (width_px, rows)), (0, top_px))
    return picture


def _read_scaled(source: _Source, region: RegionUm, size_px: tuple[int, int]) -> Image.Image:
    """Read whole pixels of the source, then scale them to the picture.

    Reading at the picture's own scale takes twice the time: the reader averages exactly over
    fractions of the level's pixels, which nobody sees.
    """
    mpp = source.mpp
    left, top = region.x_um / mpp, region.y_um / mpp
    right, bottom = left + region.width_um / mpp, top + region.height_um / mpp
    x, y = math.floor(left), math.floor(top)
    width, height = math.ceil(right) - x, math.ceil(bottom) - y
    read = source.read(BoxPx(x, y, width, height))
    box = (left - x, top - y, right - x, bottom - y)
    return Image.fromarray(read).resize(size_px, Image.Resampling.BOX, box)


def _find_level_mpp(slide: Slide, mpp: float) -> float:
    """Return µm/px of the coarsest level of `mpp` or finer; `mpp` if there is no such level."""
    finest = min(slide.info.pixel_size.x_um, slide.info.pixel_size.y_um)
    levels = [finest * round(downsample) for downsample in slide.info.level_downsamples]
    return max((level for level in levels if level <= mpp), default=mpp)


def _draw_rings(
    draw: ImageDraw.ImageDraw,
    rings: list[list[tuple[float, float]]],
    colour: Rgb,
    width: int,
) -> None:
    for ring in rings:
        draw.line(ring, fill=colour, width=width, joint="curve")


def _write_label(draw: ImageDraw.ImageDraw, view: _View, area: PortalArea, text: str) -> None:
    """Write a text beside an area's top right corner, readable on any ground."""
    ring = np.array(view.to_px(area.outline_l0)[0])
    spot = (float(ring[:, 0].max()) + 3, float(ring[:, 1].min()) - 4)
    draw.text(
        spot, text, fill=_INK, font=_load_font(20), stroke_width=3, stroke_fill=(255, 255, 255)
    )


@dataclass(frozen=True)
class _Line:
    """A kind of line in the legend."""

    text: str
    colour: Rgb
    dashed: bool = False


def _list_lines(regions: Regions, artefacts: Sequence[Artefact]) -> list[_Line]:
    """List each kind of line, in the legend's order."""
    kinds = dict.fromkeys(artefact.kind for artefact in artefacts)
    uncounted = _Line("portal, not counted", UNCOUNTED_COLOUR)
    candidate = _Line("candidate, not counted", CANDIDATE_COLOUR, dashed=True)
    return [
        _Line("portal tract, complete", PORTAL.colour),
        _Line("portal tract, partial", PARTIAL_COLOUR),
        *([uncounted] if any(not tract.is_counted for tract in regions.tracts) else []),
        *([candidate] if regions.candidates else []),
        _Line("tissue", TISSUE_COLOUR),
        *(_Line(kind.label, kind.colour, dashed=True) for kind in kinds),
    ]


def _add_legend(
    picture: Image.Image,
    view: _View,
    legend: list[_Line],
    synthetic: bool,
) -> Image.Image:
    width = max(picture.width, 760 + 240 * (len(legend) - 3) + 160 * synthetic)
    framed = Image.new("RGB", (width, picture.height + _LEGEND_PX), (255, 255, 255))
    framed.paste(picture, (0, 0))
    draw = ImageDraw.Draw(framed)
    middle = picture.height + _LEGEND_PX // 2
    x = _draw_scale_bar(draw, view, middle)
    for line in legend:
        draw_dashed(draw, [(x, middle), (x + 24, middle)], line.colour, 4, 8 if line.dashed else 24)
        draw.text((x + 32, middle), line.text, fill=_INK, font=_load_font(17), anchor="lm")
        x += 50 + int(draw.textlength(line.text, font=_load_font(17)))
    if synthetic:
        draw.text((x, middle), "SYNTHETIC", fill=(180, 0, 0), font=_load_font(17), anchor="lm")
    return framed


def _draw_scale_bar(draw: ImageDraw.ImageDraw, view: _View, middle: int) -> int:
    """Draw a bar of a round length; return the x at which the legend goes on."""
    length_um = next(
        um for um in (5000, 2000, 1000, 500, 200, 100, 50) if um / view.mpp < 240 or um == 50
    )
    length_px = length_um / view.mpp
    draw.line([(14, middle), (14 + length_px, middle)], fill=_INK, width=5)
    text = f"{length_um / 1000:g} mm"  # the font that Pillow ships has no µ
    draw.text((22 + length_px, middle), text, fill=_INK, font=_load_font(17), anchor="lm")
    return int(50 + length_px + draw.textlength(text, font=_load_font(17)))


def _load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
