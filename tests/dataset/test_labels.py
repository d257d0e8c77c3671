from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.dataset import (
    IGNORED,
    Meaning,
    MeaningTable,
    SlideLabels,
    open_labelled,
    parse_meanings,
    read_labels,
)
from glisson.errors import AnnotationError, SettingsError
from glisson.exchange import read_geojson
from glisson.frames import BoxL0, BoxPx, PixelSize, Size
from glisson.slides import InMemorySlide
from tests.dataset.scene import SIDE, box, feature, features, source, true_labels, write_slide

WHOLE = BoxPx(0, 0, SIDE, SIDE)


def labels_of(folder: Path, found: list[dict], rows: tuple[str, ...] = ()) -> np.ndarray:
    with open_labelled(source(write_slide(folder, found=found)), parse_meanings(rows)) as labelled:
        return labelled.read(WHOLE, 1.0).labels


def test_labels_are_the_drawn_areas(tmp_path: Path) -> None:
    assert np.array_equal(labels_of(tmp_path, features()), true_labels())


def test_the_papers_own_class_name_is_known(tmp_path: Path) -> None:
    assert np.array_equal(labels_of(tmp_path, features("BileDuct")), true_labels())


def test_own_class_names_are_mapped(tmp_path: Path) -> None:
    found = labels_of(tmp_path, features("Portalfeld"), ("portalFELD=portal",))
    assert np.array_equal(found, true_labels())


def test_undrawn_tissue_is_found_and_is_lobule(tmp_path: Path) -> None:
    found = labels_of(tmp_path, features()[1:])
    truth = true_labels()
    assert np.array_equal(found == 2, truth == 2)
    assert np.mean(found == truth) > 0.97, "the tissue finder works at 4 µm/px"


def test_a_region_alone_says_that_there_is_no_tract(tmp_path: Path) -> None:
    found = labels_of(tmp_path, [feature("Region", box(100, 100, 300, 300))])
    assert not (found == 2).any()
    assert (found == IGNORED).any()


def test_outside_a_region_nothing_is_known(tmp_path: Path) -> None:
    found = labels_of(tmp_path, [*features(), feature("Region 1", box(100, 100, 300, 300))])
    truth = true_labels()
    assert np.array_equal(found[100:300, 100:300], truth[100:300, 100:300])
    known = np.zeros_like(truth, bool)
    known[100:300, 100:300] = True
    assert (found[~known] == IGNORED).all()


def test_ignored_areas_paint_over_tracts(tmp_path: Path) -> None:
    found = labels_of(tmp_path, [feature("Ignore*", box(128, 128, 160, 160)), *features()])
    assert (found[128:160, 128:160] == IGNORED).all()
    assert (found[160:220, 160:200] == 2).all()


def test_candidates_are_ignored_where_nobody_decided(tmp_path: Path) -> None:
    """Half of them are portal tracts: neither class would be right."""
    found = labels_of(
        tmp_path,
        [
            *features(),
            feature("Portal tract?", box(450, 100, 550, 200)),
            feature("Lobule", box(450, 100, 480, 200)),
            feature("Portal tract", box(520, 100, 550, 200)),
        ],
    )
    assert (found[100:200, 480:520] == IGNORED).all()
    assert (found[100:200, 450:480] == 1).all()
    assert (found[100:200, 520:550] == 2).all()
    assert (found == IGNORED).sum() == 40 * 100


def test_candidates_alone_annotate_nothing(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="annotates nothing"):
        labels_of(tmp_path, [feature("Portal tract?", box(450, 100, 550, 200))])


def test_a_hole_in_a_tract_is_lobule(tmp_path: Path) -> None:
    ring = box(300, 300, 400, 400)
    ring["coordinates"].append(box(340, 340, 360, 360)["coordinates"][0])
    found = labels_of(tmp_path, [features()[0], feature("Portal tract", ring)])
    assert (found[340:360, 340:360] == 1).all()
    assert (found == 2).sum() == 100 * 100 - 20 * 20


@pytest.mark.parametrize("mpp", [0.5, 2.0])
def test_other_pixel_sizes_see_the_same_areas(tmp_path: Path, mpp: float) -> None:
    with open_labelled(source(write_slide(tmp_path))) as labelled:
        side = round(SIDE / mpp)
        found = labelled.labels.crop(BoxPx(0, 0, side, side), mpp)
    truth = true_labels()
    expected = truth[::2, ::2] if mpp == 2 else truth.repeat(2, 0).repeat(2, 1)
    assert np.array_equal(found, expected)


@given(
    x=st.integers(0, 60), y=st.integers(0, 60), width=st.integers(1, 40), height=st.integers(1, 40)
)
@settings(max_examples=60, deadline=None)
def test_any_crop_is_a_part_of_the_whole(x: int, y: int, width: int, height: int) -> None:
    ring = shapely.Point(50, 47).buffer(33.3).difference(shapely.Point(55, 50).buffer(11.1))
    areas = {Meaning.TISSUE: (shapely.box(5.5, 3.2, 95, 90),), Meaning.PORTAL: (ring,)}
    labels = SlideLabels(PixelSize(0.5, 0.5), Size(110, 105), areas, tissue_found=False)
    whole = labels.crop(BoxPx(0, 0, 100, 100), 0.55)
    crop = labels.crop(BoxPx(x, y, width, height), 0.55)
    assert np.array_equal(crop, whole[y : y + height, x : x + width])


def test_area_in_pixels_is_area_of_outlines() -> None:
    disc = shapely.Point(300, 280).buffer(200)
    labels = SlideLabels(PixelSize(0.25, 0.25), Size(600, 600), {Meaning.PORTAL: (disc,)}, False)
    counted_um2 = np.count_nonzero(labels.crop(BoxPx(0, 0, 300, 300), 0.5) == 2) * 0.25
    assert counted_um2 == pytest.approx(disc.area / 16, rel=0.005)


def test_unknown_classes_are_named_with_a_way_out(tmp_path: Path) -> None:
    found = [*features(), feature("Tumor", box(0, 0, 9, 9)), feature(None, box(0, 0, 9, 9))]
    with pytest.raises(AnnotationError, match=r"'\(unclassified\)', 'Tumor'.*--class"):
        labels_of(tmp_path, found)
    rows = ("Tumor=ignore", "(unclassified)=skip")
    assert (labels_of(tmp_path, found, rows)[:9, :9] == IGNORED).all()


def test_a_slide_with_nothing_annotated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="annotates nothing"):
        labels_of(tmp_path, [])


def test_another_slides_size_is_refused(tmp_path: Path) -> None:
    path = write_slide(tmp_path, width=SIDE * 4, height=SIDE * 4)
    with pytest.raises(AnnotationError, match="2560 x 2560 px, but a has 640 x 640"):
        open_labelled(source(path))


def test_outlines_beyond_the_slide_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="outside a"):
        labels_of(tmp_path, [feature("Portal tract", box(600, 600, 700, 700))])


BOUNDS = BoxL0(100, 40, 300, 200)


@pytest.mark.parametrize(
    ("shown", "frame", "offset"),
    [
        ((300, 200), "qupath", (100, 40)),
        ((640, 640), "qupath", (0, 0)),
        ((640, 640), "level0", (0, 0)),
        (None, None, (100, 40)),
    ],
)
def test_labels_lie_where_qupath_showed_them_cropped_or_whole(
    tmp_path: Path, shown: tuple[int, int] | None, frame: str | None, offset: tuple[int, int]
) -> None:
    """Bio-Formats shows MRXS and SCN whole, OpenSlide crops them to their bounds."""
    slide = InMemorySlide(np.full((640, 640, 3), 250, np.uint8), PixelSize(1, 1), bounds_l0=BOUNDS)
    drawn = [feature("Tissue", box(0, 0, 200, 150)), feature("Portal tract", box(20, 30, 60, 80))]
    document: dict = {"type": "FeatureCollection", "features": drawn}
    if shown:
        document["glisson"] = {"width": shown[0], "height": shown[1], "frame": frame}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(document))
    rows, columns = np.nonzero(read_labels(slide, path, MeaningTable()).crop(WHOLE, 1.0) == 2)
    x, y = offset
    corner = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert corner == (20 + x, 30 + y, 60 + x, 80 + y)


LINE = {"type": "LineString", "coordinates": [[130, 130], [190, 130], [190, 190]]}
POINTS = {"type": "MultiPoint", "coordinates": [[130, 130], [190, 130]]}


@pytest.mark.parametrize("geometry", [LINE, POINTS])
@pytest.mark.parametrize(
    "class_name", ["Portal tract", "Tissue", "Region 1", "Ignore*", "Lobule", "Portal: inflamed"]
)
def test_lines_and_points_that_mean_an_area_are_refused(
    tmp_path: Path, geometry: dict, class_name: str
) -> None:
    found = [*features(), feature(class_name, geometry)]
    problem = rf"a\.geojson: '{class_name[:5]}.*{geometry['type']}.*Outline it"
    with pytest.raises(AnnotationError, match=problem):
        labels_of(tmp_path, found)


def test_lines_people_measure_with_and_stray_clicks_say_nothing(tmp_path: Path) -> None:
    click = {"type": "Polygon", "coordinates": [[[9, 9], [9, 9], [9, 9], [9, 9]]]}
    found = [
        *features(),
        feature(None, LINE),
        feature("Length", LINE),
        feature("Interface", LINE),
        feature("Portal tract", click),
    ]
    assert np.array_equal(labels_of(tmp_path, found), true_labels())


def test_a_question_mark_makes_a_candidate_and_is_no_wildcard() -> None:
    table = MeaningTable()
    assert table.of("Portal tract?") is Meaning.CANDIDATE
    assert table.of("portal tract?: large") is Meaning.CANDIDATE
    assert table.of("Portal tract") is Meaning.PORTAL
    assert table.of("Portal tracts") is None
    assert parse_meanings(["Portal tract?=skip"]).of("Portal tract?") is Meaning.SKIP


@pytest.mark.parametrize("row", ["Tumor", "=portal", "Tumor=cancer"])
def test_rows_that_are_no_rows(row: str) -> None:
    with pytest.raises(SettingsError, match="NAME=MEANING"):
        parse_meanings([row])


def test_derived_classes_mean_what_their_parent_means() -> None:
    table = MeaningTable()
    assert table.of("Portal tract: inflamed") is Meaning.PORTAL
    assert table.of("Ignore*") is Meaning.IGNORE
    assert table.of("Region 12") is Meaning.REGION
    assert table.of("") is None


@pytest.mark.parametrize(
    "name",
    [
        "mixed-geometry-types.geojson",
        "qupath-0.2-bare-list.json",
        "qupath-0.3-bare-list.geojson",
        "qupath-0.5-feature-collection.geojson",
        "single-feature-with-hole.geojson",
    ],
)
def test_real_exports_are_labels(tmp_path: Path, fixtures_dir: Path, name: str) -> None:
    """Every style and shape; they are of other organs, so moved onto our slide."""
    areas = read_geojson(fixtures_dir / "geojson" / name).areas
    rows = tuple(f"{area.class_name or '(unclassified)'}=portal" for area in areas)
    moved = [_into_slide(area.geometry_l0, areas) for area in areas]
    drawn = [
        feature(area.class_name or None, shapely.geometry.mapping(shape))
        for area, shape in zip(areas, moved, strict=True)
    ]
    found = labels_of(tmp_path, [features()[0], *drawn], rows)
    area_px = shapely.union_all([shapely.make_valid(shape) for shape in moved]).area
    assert np.count_nonzero(found == 2) == pytest.approx(area_px, rel=0.1, abs=60)


def _into_slide(geometry: shapely.Geometry, areas: tuple) -> shapely.Geometry:
    left, top, right, bottom = shapely.total_bounds([area.geometry_l0 for area in areas])
    scale = (SIDE - 1) / max(right - left, bottom - top)
    return shapely.affinity.affine_transform(
        geometry, [scale, 0, 0, scale, -left * scale, -top * scale]
    )


def test_cells_and_their_classes_are_left_out(tmp_path: Path) -> None:
    """Detections of any class, and annotations of a class of cells."""
    cells = [feature("Portal tract", box(450 + k, 150, 460 + k, 160)) for k in range(0, 60, 12)]
    for cell in cells:
        cell["properties"]["objectType"] = "cell"
    found = [*features(), *cells, feature("Lymphocyte", box(500, 300, 510, 310))]
    with open_labelled(source(write_slide(tmp_path, found=found))) as labelled:
        assert np.array_equal(labelled.read(WHOLE, 1.0).labels, true_labels())
        said = " ".join(labelled.labels.warnings)
    assert "5 cells left out" in said
    assert "1 'Lymphocyte'" in said


def test_the_hint_for_an_unknown_class_leaves_it_out(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="--class 'Thing=skip'"):
        labels_of(tmp_path, [*features(), feature("Thing", box(500, 300, 510, 310))])


def test_areas_of_a_copy_are_refused(tmp_path: Path) -> None:
    quarter = [
        feature("Tissue", box(*(x / 4 for x in (64, 64, 576, 576)))),
        feature("Portal tract", box(32, 32, 50, 55)),
    ]
    slide = source(write_slide(tmp_path, found=quarter))
    with pytest.raises(AnnotationError, match=r"overlap.*--force"):
        open_labelled(slide)
    with open_labelled(source(slide.slide, force=True)) as labelled:
        assert "overlap" in labelled.labels.warnings[0]
