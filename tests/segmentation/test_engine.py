"""The class map is what the model says, wherever windows begin and end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.frames import BoxL0, BoxPx, Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import find_regions
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.segmentation.windows import windows_over
from glisson.slides import InMemorySlide
from glisson.tissue import TissueMap
from tests.scenes import ColourModel, ConstantModel, biopsy_labels, coloured, everywhere

PIXEL = PixelSize(1.0, 1.0)


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    window_px=st.sampled_from([32, 64, 160, 256]),
    overlap=st.floats(0, 0.75),
    workers=st.integers(1, 3),
    windows_a_call=st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_a_constant_field_stays_that_constant(
    width: int, height: int, window_px: int, overlap: float, workers: int, windows_a_call: int
) -> None:
    slide = InMemorySlide(np.zeros((height, width, 3), np.uint8), PIXEL)
    tissue = everywhere(PIXEL, -(-width // 4), -(-height // 4), 4.0)
    wanted = SegmentSettings(window_px=window_px, overlap=overlap)
    model = ConstantModel((0.02, 0.03, 0.95), workers, windows_a_call)
    found = segment_slide(slide, tissue, model, wanted)
    crop = found.crop(BoxPx(0, 0, width, height))
    assert (crop.labels == 2).all()
    assert np.abs(crop.portal_probability - 0.95).max() <= 1 / 255


@given(
    seed=st.integers(0, 1000),
    window_px=st.sampled_from([64, 128, 256]),
    stride_share=st.floats(0.25, 1.0),
    tissue_mpp=st.sampled_from([2.0, 4.0, 7.3]),
)
@settings(max_examples=60, deadline=None)
def test_every_tissue_pixel_is_in_a_window(
    seed: int, window_px: int, stride_share: float, tissue_mpp: float
) -> None:
    rng = np.random.default_rng(seed)
    frame = Frame(PIXEL, 1.0)
    mask = rng.random((60, 80)) < 0.01
    tissue = TissueMap(mask, Frame(PIXEL, tissue_mpp), np.zeros(mask.shape, np.uint8), (0, 0, 0))
    size = frame.size_px(_size(mask, tissue_mpp))
    stride = max(1, int(window_px * stride_share))
    covered = np.zeros((size.height + 512, size.width + 512), bool)
    for box in windows_over(tissue, frame, size, window_px, stride):
        top, left = max(box.y_px, 0), max(box.x_px, 0)
        covered[top : box.y_px + box.height_px, left : box.x_px + box.width_px] = True
    rows, columns = np.indices((size.height, size.width))
    on_tissue = mask[
        np.minimum((rows + 0.5) // tissue_mpp, 59).astype(int),
        np.minimum((columns + 0.5) // tissue_mpp, 79).astype(int),
    ]
    assert covered[: size.height, : size.width][on_tissue].all()


def _size(mask: np.ndarray, mpp: float):
    from glisson.frames import Size

    return Size(int(mask.shape[1] * mpp), int(mask.shape[0] * mpp))


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("window_px", [128, 256])
def test_tracts_across_windows_are_whole(window_px: int, overlap: float) -> None:
    labels = biopsy_labels()
    slide = InMemorySlide(coloured(labels), PIXEL)
    tissue = everywhere(PIXEL, 600, 175, 4.0)
    wanted = SegmentSettings(window_px=window_px, overlap=overlap)
    found = segment_slide(slide, tissue, ColourModel(), wanted)
    assert np.array_equal(found.crop(BoxPx(0, 0, 2400, 700)).labels, labels)
    regions = find_regions(found)
    assert [tract.complete for tract in regions.tracts] == [True, True, True, False]


def test_outside_tissue_is_background_and_costs_nothing() -> None:
    labels = np.full((1024, 4096), 2, np.uint8)
    slide = InMemorySlide(coloured(labels), PIXEL)
    mask = np.zeros((256, 1024), bool)
    mask[100:130, 500:540] = True
    tissue = TissueMap(mask, Frame(PIXEL, 4.0), np.zeros(mask.shape, np.uint8), (255, 255, 255))
    model = ColourModel()
    found = segment_slide(slide, tissue, model, SegmentSettings(reach_um=4))
    area = (found.crop(BoxPx(0, 0, 4096, 1024)).labels > 0).sum()
    assert 30 * 40 * 16 <= area <= 32 * 42 * 16
    assert model.windows <= 9
    assert len(found.blocks) <= 4


def test_what_cannot_be_read_is_left_out_and_counted() -> None:
    labels = biopsy_labels()
    hole = BoxL0(600, 200, 200, 300)
    slide = InMemorySlide(coloured(labels), PIXEL, damaged_l0=[hole])
    tissue = everywhere(PIXEL, 600, 175, 4.0)
    found = segment_slide(slide, tissue, ColourModel())
    assert found.unreadable_um2 == pytest.approx(200 * 300)
    assert not found.crop(BoxPx(600, 200, 200, 300)).labels.any()
    measured = measure_biopsy(find_regions(found), PIXEL, found.unreadable_um2).biopsy
    assert measured.unreadable_area_mm2 == pytest.approx(0.06)


def test_bounds_change_nothing_but_the_frame_of_qupath() -> None:
    rgb = coloured(biopsy_labels())
    tissue = everywhere(PIXEL, 600, 175, 4.0)
    plain = segment_slide(InMemorySlide(rgb, PIXEL), tissue, ColourModel())
    bounded = InMemorySlide(rgb, PIXEL, bounds_l0=BoxL0(50, 60, 2000, 500))
    other = segment_slide(bounded, tissue, ColourModel())
    one = measure_biopsy(find_regions(plain), PIXEL)
    assert one == measure_biopsy(find_regions(other), PIXEL)


def test_pieces_that_lie_apart_have_boxes_of_their_own() -> None:
    labels = np.zeros((600, 5000), np.uint8)
    labels[100:400, 100:600] = 1
    labels[100:400, 4000:4600] = 1
    found = segment_slide(
        InMemorySlide(coloured(labels), PIXEL), everywhere(PIXEL, 1250, 150, 4.0), ColourModel()
    )
    boxes = found.boxes()
    assert len(boxes) == 2
    assert sum((found.crop(box).labels > 0).sum() for box in boxes) == (labels > 0).sum()


def test_progress_reaches_the_end() -> None:
    seen: list[tuple[int, int]] = []
    slide = InMemorySlide(coloured(biopsy_labels()), PIXEL)
    segment_slide(
        slide,
        everywhere(PIXEL, 600, 175, 4.0),
        ColourModel(),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


class BrokenModel(ColourModel):
    """Fails on its third call."""

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        if self.windows > 10:
            raise RuntimeError("broken")
        return super().predict(tiles)


def test_an_error_in_the_model_comes_out() -> None:
    slide = InMemorySlide(coloured(biopsy_labels()), PIXEL)
    with pytest.raises(RuntimeError, match="broken"):
        segment_slide(slide, everywhere(PIXEL, 600, 175, 4.0), BrokenModel())


@pytest.mark.parametrize("bad", [{"overlap": 0.9}, {"window_px": 8}])
def test_impossible_windows_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        SegmentSettings(**bad)  # type: ignore[arg-type]
