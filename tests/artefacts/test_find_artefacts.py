"""Artefacts found on phantoms, against their exact truth, and none on what is clean."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from glisson.artefacts import Artefacts, Handling, Kind, find_artefacts
from glisson.frames import PixelSize
from glisson.slides import InMemorySlide, open_slide
from glisson.tissue import find_tissue
from tests.artefacts.scene import Field, field


@pytest.fixture(scope="module")
def soiled() -> Field:
    return field(soiled=True)


@pytest.fixture(scope="module")
def found(soiled: Field) -> Artefacts:
    return find_artefacts(soiled.slide, find_tissue(soiled.slide))


def drawn(found: Artefacts, kind: Kind, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outlines of a kind on the truth's grid of 1 µm/px: half as many as level-0 pixels."""
    mask = np.zeros(shape, np.uint8)
    for artefact in found.items:
        if artefact.kind is kind:
            ring = np.asarray(artefact.outline_l0.exterior.coords) / 2
            cv2.fillPoly(mask, [np.round(ring).astype(np.int32)], 1)
    return mask > 0


@pytest.mark.parametrize(
    ("kind", "recall", "precision"),
    [(Kind.PEN, 0.9, 0.85), (Kind.BUBBLE, 0.9, 0.9), (Kind.DEFOCUS, 0.6, 0.85),
     (Kind.FOLD, 0.4, 0.6), (Kind.DUST, 0.6, 0.2)],
)  # fmt: skip
def test_against_the_truth(
    soiled: Field, found: Artefacts, kind: Kind, recall: float, precision: float
) -> None:
    mask, truth = drawn(found, kind, soiled.labels.shape), soiled.truth(kind.value)
    if kind in (Kind.DEFOCUS, Kind.FOLD):
        truth &= soiled.tissue
    both = float((mask & truth).sum())
    assert both / truth.sum() >= recall
    assert both / mask.sum() >= precision


def test_red_ink_on_glass_is_not_tissue(soiled: Field, found: Artefacts) -> None:
    """The paper's Fig. 4c: strokes of a pen segmented as tissue."""
    mask = found.tissue.mask
    grown = cv2.resize(mask.astype(np.uint8), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    ink = soiled.truth("pen") & ~soiled.tissue
    inside = grown[: ink.shape[0], : ink.shape[1]] > 0
    assert (inside & ink).sum() <= 0.02 * ink.sum()
    assert (inside & soiled.tissue).sum() >= 0.95 * soiled.tissue.sum()


def test_what_is_excluded_lies_off_the_tissue(found: Artefacts) -> None:
    assert {Kind.PEN, Kind.FOLD, Kind.DEFOCUS} <= {artefact.kind for artefact in found.items}
    for artefact in found.items:
        if artefact.kind is Kind.PEN:
            assert artefact.handling is Handling.EXCLUDED
        if artefact.kind in (Kind.FOLD, Kind.DEFOCUS):
            assert artefact.tissue_um2 == pytest.approx(artefact.area_um2)


def test_areas_add_up_and_are_said(found: Artefacts) -> None:
    areas = {area.kind: area for area in found.areas()}
    defocus = areas[Kind.DEFOCUS]
    own = [a for a in found.items if a.kind is Kind.DEFOCUS]
    assert defocus.count == len(own)
    assert defocus.on_tissue_mm2 == pytest.approx(sum(a.area_um2 for a in own) / 1e6)
    share = f"{100 * defocus.share_of_tissue:.0f} %"
    expected = f"{share} of the tissue is out of focus: counts there need a look."
    assert expected in found.warnings()


def test_polygons_on_an_artefact_are_named(found: Artefacts) -> None:
    blurred = max((a for a in found.items if a.kind is Kind.DEFOCUS), key=lambda a: a.area_um2)
    inside = blurred.outline_l0.representative_point().buffer(20)
    far = shapely.box(-900, -900, -800, -800)
    assert "defocus" in found.kinds_on(inside)
    assert found.kinds_on(far) == ()


def test_a_clean_field_has_none() -> None:
    clean = field(soiled=False)
    result = find_artefacts(clean.slide, find_tissue(clean.slide))
    assert [a.kind for a in result.items if a.kind is not Kind.DUST] == []
    assert result.warnings() == ()


@pytest.mark.parametrize("name", ["core-02.jpg", "core-03.jpg"])
def test_sharp_real_liver_has_none_and_blurred_is_seen(fixtures_dir: Path, name: str) -> None:
    with open_slide(fixtures_dir / "liver" / name, mpp=0.5) as slide:
        tissue = find_tissue(slide)
        assert find_artefacts(slide, tissue).items == ()
        pixels = np.asarray(slide.read(*_whole(slide)).rgb)
    soft = cv2.GaussianBlur(pixels, (0, 0), 2.0 / 0.5)
    blurred = InMemorySlide(soft, PixelSize(0.5, 0.5))
    shares = {a.kind: a.share_of_tissue for a in find_artefacts(blurred, tissue).areas()}
    assert shares[Kind.DEFOCUS] > 0.8


def _whole(slide):  # type: ignore[no-untyped-def]
    from glisson.frames import RegionUm

    size = slide.info.size_l0
    return RegionUm(0, 0, size.width * 0.5, size.height * 0.5), 0.5


def test_large_pixels_are_said_to_hide_focus(soiled: Field) -> None:
    pixels = cv2.resize(soiled.slide._rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    coarse = InMemorySlide(pixels, PixelSize(2.0, 2.0))
    result = find_artefacts(coarse, find_tissue(coarse))
    assert not result.focus_measured
    assert any("too large to tell" in text for text in result.warnings())


def test_an_empty_slide_has_none(soiled: Field) -> None:
    empty = InMemorySlide(np.full((400, 400, 3), 245, np.uint8), PixelSize(1.0, 1.0))
    tissue = find_tissue(empty)
    result = find_artefacts(empty, tissue)
    assert result.items == ()
    assert result.areas() == ()
