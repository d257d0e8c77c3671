"""Large fat droplets: as on real cores, and the same from whatever canvas they are drawn."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from scipy.spatial.distance import pdist, squareform

from glisson_phantom.draw import draw_tissue
from glisson_phantom.draw.large_fat import LargeDroplets, place_large_droplets
from glisson_phantom.draw.section import Section
from glisson_phantom.plan.disease import draw_disease
from glisson_phantom.plan.layout import Layout, lay_out
from glisson_phantom.plan.needle import NeedlePass, draw_core
from glisson_phantom.plan.preparation import draw_texture
from glisson_phantom.world import Canvas

DISEASE = replace(
    draw_disease(np.random.default_rng(4), "masld", 1), fat=0.5, fat_size=1.0, large_fat=1.0
)
TEXTURE = draw_texture(np.random.default_rng(5))


@cache
def layout() -> Layout:
    rng = np.random.default_rng(6)
    return lay_out(rng, DISEASE, draw_core(rng, NeedlePass(3000, 1000)))


@cache
def section(canvas: Canvas, large_fat: float = 1.0) -> Section:
    return Section.start(canvas, layout(), replace(DISEASE, large_fat=large_fat), TEXTURE)


def canvas(x_um: float, y_um: float, side_px: int) -> Canvas:
    middle = layout().cores[0].centreline_um.mean(axis=0)
    left, top = np.floor(middle + np.array([x_um, y_um])).tolist()
    return Canvas(left, top, side_px, side_px, 0.5, 9)


def inside(droplets: LargeDroplets, where: Canvas) -> np.ndarray:
    """Sorted x, y, radius of the droplets whose centre lies on a canvas."""
    low, high = where.low_um, where.high_um
    own = ((droplets.centres_um >= low) & (droplets.centres_um < high)).all(axis=1)
    rows = np.column_stack([droplets.centres_um[own], droplets.radii_um[own]])
    return rows[np.lexsort(rows.T)]


def test_droplets_are_those_of_the_world() -> None:
    part = canvas(-100, -60, 300)
    alone = inside(place_large_droplets(section(part)), part)
    within = inside(place_large_droplets(section(canvas(-403, -377, 1500))), part)
    assert len(alone) > 5
    np.testing.assert_allclose(alone, within)


def test_a_part_drawn_alone_has_the_same_dyes() -> None:
    whole = draw_tissue(canvas(-252, -252, 1000), layout(), DISEASE, TEXTURE)
    part = draw_tissue(canvas(-100, -100, 400), layout(), DISEASE, TEXTURE)
    same = whole.dyes.eosin[304:704, 304:704]
    assert np.isclose(part.dyes.eosin, same, atol=2e-3).mean() > 0.9999


def test_they_are_as_wide_as_on_real_cores_and_do_not_overlap() -> None:
    droplets = place_large_droplets(section(canvas(-400, -400, 1600)))
    reach = droplets.radii_um[:, None] + droplets.radii_um
    apart = squareform(pdist(droplets.centres_um)) - reach
    assert apart[~np.eye(len(reach), dtype=bool)].min() > 0
    wide = np.sort(2 * droplets.radii_um)
    half = np.searchsorted(np.cumsum(wide**2), (wide**2).sum() / 2)
    assert 24 < wide[half] < 36


def test_none_lies_in_a_tract_and_none_is_drawn_unasked() -> None:
    where = section(canvas(-400, -400, 1600))
    droplets = place_large_droplets(where)
    middles = where.at(where.labels, inside(droplets, where.canvas)[:, :2])
    assert set(np.unique(middles)) <= {0, 1}
    assert len(place_large_droplets(section(where.canvas, 0.0)).radii_um) == 0
