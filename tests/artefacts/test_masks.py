"""The finder's rules on masks drawn by hand: cells of the focus lattice, dust, memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import shapely
from numpy.typing import NDArray

from glisson.artefacts import Artefact, Artefacts, ArtefactSettings, Kind, find_artefacts
from glisson.artefacts.finder import find_dust
from glisson.artefacts.focus import find_lattice_cells
from glisson.frames import Frame, PixelSize
from glisson.slides import InMemorySlide
from glisson.tissue import Cause, TissueMap

MPP = 4.0


def tissue_map(mask: NDArray[np.bool_], causes: NDArray[np.uint8] | None = None) -> TissueMap:
    causes = np.zeros(mask.shape, np.uint8) if causes is None else causes
    return TissueMap(mask, Frame(PixelSize(MPP, MPP), MPP), causes, (245, 245, 245))


def test_a_focus_field_lies_on_tissue_at_any_size_of_the_grid() -> None:
    """475 columns are 9.5 cells of 50: the lattice must not be stretched to fit."""
    mask = np.zeros((100, 475), bool)
    mask[:, 400:450] = True
    cells = list(find_lattice_cells(tissue_map(mask), ArtefactSettings()))
    assert [(cell.rows.start, cell.columns.start) for cell in cells] == [(0, 400), (50, 400)]


def test_dust_that_is_called_a_tract_is_named() -> None:
    speck = shapely.box(0, 0, 40, 40)
    artefact = Artefact(Kind.DUST, speck, 1600.0, 1600.0)
    found = Artefacts((artefact,), tissue_map(np.ones((50, 50), bool)))
    assert found.kinds_on(speck.buffer(3)) == ("dust",)
    assert found.kinds_on(speck.buffer(200)) == ()


def test_artefacts_of_one_kind_add_up_on_a_tract() -> None:
    halves = [shapely.box(x, 0, x + 6, 100) for x in (0, 90, 500)]
    each = tuple(Artefact(Kind.FOLD, half, 600.0, 600.0) for half in halves)
    found = Artefacts(each, tissue_map(np.ones((50, 50), bool)))
    assert found.kinds_on(shapely.box(0, 0, 100, 100)) == ("fold",)
    assert found.kinds_on(shapely.box(0, 0, 50, 200)) == ()


def test_outlines_of_dust_are_limited_where_specks_are_of_one_size() -> None:
    causes = np.zeros((200, 200), np.uint8)
    causes[np.ix_(*[np.flatnonzero(np.arange(200) % 5 < 2)] * 2)] = Cause.DUST
    tissue = tissue_map(np.zeros(causes.shape, bool), causes)
    settings = ArtefactSettings(most_dust=100)
    signs = np.zeros(causes.shape, np.uint8)
    found = find_dust(tissue, signs, np.ones(causes.shape, bool), settings)
    assert found.sum() == 4 * settings.most_dust  # of 1600 specks of 2 x 2 px


def test_a_slide_without_tissue_is_not_told_about_focus() -> None:
    empty = tissue_map(np.zeros((50, 50), bool))
    assert Artefacts((), empty, focus_measured=False).warnings() == ()


def test_memory_is_by_the_grid_and_small() -> None:
    mask = np.zeros((2500, 2500), bool)
    mask[1200:1260, 1200:1260] = True
    rgb = np.full((*mask.shape, 3), 245, np.uint8)
    rgb[mask] = (200, 120, 180)
    slide, tissue = InMemorySlide(rgb, PixelSize(MPP, MPP)), tissue_map(mask)
    tracemalloc.start()
    find_artefacts(slide, tissue)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 14 * mask.size
