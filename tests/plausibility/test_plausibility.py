"""The gate on real tissue of many organs, on other stains, and on phantoms."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from glisson.artefacts import find_artefacts
from glisson.frames import PixelSize, RegionUm, Size
from glisson.plausibility import (
    Plausibility,
    PlausibilitySettings,
    assess_plausibility,
    doubt_slide_size,
)
from glisson.plausibility.parenchyma import Parenchyma, choose_regions, measure_patches
from glisson.slides import SlideInfo, open_slide
from glisson.slides.memory import InMemorySlide
from glisson.tissue import find_tissue
from glisson_phantom import MadePhantom, TileLook, render_tile

Pixels = NDArray[np.uint8]
LIMITS = PlausibilitySettings()
CORE_MPP = 0.494


def _assess(rgb: Pixels, mpp: float) -> Plausibility:
    slide = InMemorySlide(np.ascontiguousarray(rgb), PixelSize(mpp, mpp))
    return assess_plausibility(slide, find_tissue(slide))


def _assess_file(path: Path, mpp: float | None = None) -> Plausibility:
    with open_slide(path, mpp=mpp) as slide:
        return assess_plausibility(slide, find_artefacts(slide, find_tissue(slide)).tissue)


def _read(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    if picture is None:
        pytest.skip(f"{path} is not among the fixtures")
    return np.ascontiguousarray(picture[..., ::-1])


def _organ(fixtures_dir: Path, tiles: range) -> Parenchyma:
    """Tiles of NuInsSeg, brought from 0.25 to 1 µm/px; their glass has grey value 165."""
    rgb = [_read(fixtures_dir / "nuclei" / f"{tile}.jpg") for tile in tiles]
    small = [cv2.resize(each, (82, 82), interpolation=cv2.INTER_AREA) for each in rgb]
    return measure_patches([np.asarray(each, np.uint8) for each in small], (165,) * 3, LIMITS)


@pytest.mark.parametrize("name", ["core-02.jpg", "core-03.jpg"])
@pytest.mark.parametrize("mpp", [0.4, 0.6])
def test_real_liver_is_plausible_even_at_a_pixel_size_that_is_a_fifth_off(
    fixtures_dir: Path, name: str, mpp: float
) -> None:
    found = _assess_file(fixtures_dir / "liver" / name, mpp)
    assert found.verdict == "plausible"
    assert found.warning is None
    assert found.doubts == ()
    assert not any(measure.is_broken for measure in found.measures)


def test_skin_is_perhaps_not_liver(fixtures_dir: Path) -> None:
    found = _assess_file(fixtures_dir / "slides" / "aperio-cmu1-small-region.svs")
    assert found.verdict == "perhaps not liver"
    assert "Adequacy and stage are withheld" in (found.warning or "")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("slides/Mirax2-Fluorescence-2.mrxs", marks=pytest.mark.slow),
        "slides/hamamatsu fluorescence (387).ndpi",
        "liver/picrosirius-02.jpg",
    ],
)
def test_fluorescence_and_picrosirius_red_are_not_he(fixtures_dir: Path, path: str) -> None:
    mpp = 0.6 if path.endswith(".jpg") else None
    assert _assess_file(fixtures_dir / path, mpp).verdict == "not H&E"


def test_nuinsseg_liver_passes_and_unlike_organs_do_not(fixtures_dir: Path) -> None:
    with (fixtures_dir / "nuclei" / "index.csv").open() as file:
        livers = {row["tile"]: row["organ"] for row in csv.DictReader(file)}
    assert {livers[str(tile)] for tile in range(81, 121)} == {"human_liver"}
    for liver in (range(81, 121), range(589, 625)):
        assert (_organ(fixtures_dir, liver).liver_share or 0) > 2 * LIMITS.least_liver_share
    for other in (range(625, 653), range(410, 450), range(450, 462), range(473, 515)):
        share = _organ(fixtures_dir, other).liver_share
        assert share is not None
        assert share < LIMITS.least_liver_share


def test_haematoxylin_alone_and_blue_collagen_are_not_he(fixtures_dir: Path) -> None:
    rgb = _read(fixtures_dir / "liver" / "core-03.jpg")[:1024, :1024]
    for name, eosin_becomes in (("haematoxylin", (0.68, 0.70, 0.29)), ("blue", (0.80, 0.59, 0.1))):
        assert _assess(_recoloured(rgb, eosin_becomes), CORE_MPP).verdict == "not H&E", name


def test_blur_is_not_called_another_organ(fixtures_dir: Path) -> None:
    rgb = _read(fixtures_dir / "liver" / "core-02.jpg")
    blurred = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 4.0), np.uint8)
    found = _assess(blurred, CORE_MPP)
    assert found.verdict == "not assessable"
    assert not found.is_withheld


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_drawn_liver_is_plausible(seed: int) -> None:
    field = render_tile(seed, 448, 1.0, TileLook("masld", artefacts=0.0, drawn_mpp=1.0)).rgb
    assert _assess(field, 1.0).verdict in ("plausible", "not assessable")


def test_coarse_pixels_and_empty_slides_are_not_judged() -> None:
    glass = np.full((300, 300, 3), 243, np.uint8)
    for mpp in (1.0, 2.0):
        found = _assess(glass, mpp)
        assert found.verdict == "not assessable"
        assert found.parenchyma == Parenchyma(0, 0)


@pytest.mark.parametrize("name", ["core-02.jpg", "core-03.jpg"])
@pytest.mark.parametrize("factor", [0.3, 0.4])
def test_a_stain_paler_than_any_trained_on_is_doubted(
    fixtures_dir: Path, name: str, factor: float
) -> None:
    rgb = _read(fixtures_dir / "liver" / name)
    pale = np.rint(242 - (242 - np.minimum(rgb, 242).astype(float)) * factor).astype(np.uint8)
    (doubt, *_) = _assess(pale, CORE_MPP).doubts
    assert "The stain is very pale" in doubt


@pytest.mark.parametrize("name", ["core-02.jpg", "core-03.jpg"])
@pytest.mark.parametrize(("mpp", "word"), [(0.25, "small"), (1.0, "large")])
def test_nuclei_tell_a_pixel_size_that_is_twice_off(
    fixtures_dir: Path, name: str, mpp: float, word: str
) -> None:
    (doubt,) = _assess_file(fixtures_dir / "liver" / name, mpp).doubts
    assert f"too {word} for hepatocytes" in doubt
    assert "--mpp" in doubt


@pytest.mark.parametrize(
    "path",
    ["liver/core-02.jpg", "liver/core-03.jpg", "slides/aperio-cmu1-small-region.svs"],
)
def test_swapped_red_and_blue_are_noticed(fixtures_dir: Path, path: str) -> None:
    with open_slide(fixtures_dir / path, mpp=CORE_MPP) as slide:
        size = slide.info.size_l0
        whole = RegionUm(0, 0, size.width * CORE_MPP, size.height * CORE_MPP)
        rgb = slide.read(whole, CORE_MPP).rgb
    assert "swapped" not in (_assess(rgb, CORE_MPP).warning or "")
    found = _assess(rgb[..., ::-1], CORE_MPP)
    assert found.verdict == "not H&E"
    assert "Red and blue seem to be swapped" in (found.warning or "")


def test_a_phantom_raises_no_doubt_and_its_swap_is_noticed(shared_phantom: MadePhantom) -> None:
    with open_slide(shared_phantom.path) as slide:
        assert doubt_slide_size(slide.info, is_part=False) is None
        whole = RegionUm(0, 0, slide.info.size_l0.width, slide.info.size_l0.height)
        rgb = slide.read(whole, 1.0).rgb
    found = _assess(rgb, 1.0)
    assert (found.verdict, found.doubts) == ("plausible", ())
    assert "swapped" in (_assess(rgb[..., ::-1], 1.0).warning or "")


@pytest.mark.parametrize(
    ("mpp", "is_doubted"), [(0.05, True), (0.1, True), (0.5, True), (1.0, False), (9.2, True)]
)
def test_a_scan_of_an_impossible_size_is_doubted(mpp: float, is_doubted: bool) -> None:
    info = SlideInfo(
        "s", None, "tifffile:ome", Size(8794, 3428), PixelSize(mpp, mpp), "file", None, (1.0,)
    )
    found = doubt_slide_size(info, is_part=False)
    assert (found is not None) is is_doubted
    assert found is None or "--mpp" in found
    assert doubt_slide_size(replace(info, format="image"), is_part=False) is None
    if mpp < 1:
        assert doubt_slide_size(info, is_part=True) is None


def test_fields_are_bounded_in_number_and_lie_on_tissue() -> None:
    rng = np.random.default_rng(0)
    rgb = np.full((3000, 3000, 3), 243, np.uint8)
    rgb[400:2600, 400:2600] = rng.integers((190, 90, 150), (220, 130, 190), (2200, 2200, 3))
    slide = InMemorySlide(rgb, PixelSize(1.0, 1.0))
    regions = choose_regions(find_tissue(slide), LIMITS)
    assert len(regions) == LIMITS.most_fields
    assert len(set(regions)) == len(regions)
    assert all(250 <= min(each.x_um, each.y_um) <= 2600 for each in regions)


def _recoloured(rgb: Pixels, eosin_becomes: tuple[float, float, float]) -> Pixels:
    """The same tissue with another dye in place of eosin."""
    dyes = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])
    dyes /= np.linalg.norm(dyes, axis=1, keepdims=True)
    third = np.cross(dyes[0], dyes[1])
    basis = np.vstack([dyes, third / np.linalg.norm(third)])
    od = -np.log10(np.maximum(rgb, 1) / 242.0)
    amounts = np.maximum(od @ np.linalg.inv(basis), 0)[..., :2]
    new = np.array([dyes[0], np.array(eosin_becomes) / np.linalg.norm(eosin_becomes)])
    return np.clip(242 * 10 ** -(amounts @ new), 0, 255).astype(np.uint8)
