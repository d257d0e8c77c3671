"""Real files: what was seen by eye, with room around it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from glisson.slides import open_slide
from glisson.tissue import Cause, TissueMap, find_tissue


def found_in(path: Path, mpp: float | None = None) -> TissueMap:
    with open_slide(path, mpp=mpp) as slide:
        return find_tissue(slide)


@pytest.mark.parametrize(
    ("name", "least", "most"), [("core-02.jpg", 0.70, 0.80), ("core-03.jpg", 0.84, 0.92)]
)
def test_fatty_cores_have_no_holes(
    fixtures_dir: Path, name: str, least: float, most: float
) -> None:
    found = found_in(fixtures_dir / "liver" / name, mpp=0.5)
    assert least <= found.fraction_of_slide <= most
    assert found.mask[60:230, 110:175].all()  # steatosis, three vacuoles deep in every direction
    assert cv2.connectedComponents(found.mask.astype(np.uint8))[0] == 2
    assert not found.mask[:60, :15].any()  # glass left of the core
    assert not found.mask[150:, 245:].any()  # and right of it


def test_skin_with_glass(fixtures_dir: Path) -> None:
    found = found_in(fixtures_dir / "slides" / "aperio-cmu1-small-region.svs")
    assert 0.33 <= found.fraction_of_slide <= 0.44
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("name", "mpp"),
    [("hamamatsu fluorescence (387).ndpi", None), ("generic-pyramid-no-mpp.tif", 1)],
)
def test_what_is_not_h_and_e_is_empty(fixtures_dir: Path, name: str, mpp: float | None) -> None:
    found = found_in(fixtures_dir / "slides" / name, mpp)
    assert found.is_empty
    assert any("No tissue" in warning for warning in found.warnings)


def test_dicom_overview_on_grey_glass(fixtures_dir: Path) -> None:
    """Its real 29 µm/px is refused, so the scale is made up: colour alone is tested."""
    found = found_in(fixtures_dir / "slides" / "dicom-camelyon-overview.dcm", mpp=4.9)
    assert 0.18 <= found.fraction_of_slide <= 0.30
    assert np.ptp(found.background_rgb) <= 8


def test_mirax_reads_only_its_bounds(fixtures_dir: Path) -> None:
    found = found_in(fixtures_dir / "slides" / "Mirax2-Fluorescence-2.mrxs")
    assert found.mask_of(Cause.PADDING).mean() > 0.98
