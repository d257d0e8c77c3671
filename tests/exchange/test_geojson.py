"""GeoJSON that QuPath reads, and that comes back the same."""

from __future__ import annotations

import gzip
import json
import uuid
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.errors import AnnotationError, OutputError
from glisson.exchange import (
    Annotation,
    Annotations,
    NewAnnotation,
    check_overlap,
    find_geojson_errors,
    read_geojson,
    write_annotations_geojson,
    write_tracts_geojson,
)
from glisson.exchange.geojson import make_tracts_document
from glisson.exchange.geojson_reader import Skipped
from glisson.frames import BoxL0, Frame, PixelSize, Size
from glisson.measurement import measure_biopsy
from glisson.regions import find_regions
from glisson.slides import SlideInfo
from tests.regions.nasty_masks import NASTY
from tests.scenes import ArrayMap, biopsy_labels

PIXEL = PixelSize(0.25, 0.25)
FRAME = Frame(PIXEL, 1.0)


def info(bounds: BoxL0 | None = None) -> SlideInfo:
    return SlideInfo(
        "case 1", Path("case 1.mrxs"), "openslide:mirax", Size(9600, 2800), PIXEL, "file",
        bounds, (1.0,),
    )  # fmt: skip


def result(labels: np.ndarray):
    regions = find_regions(ArrayMap(FRAME, labels))
    return regions, measure_biopsy(regions, PIXEL)


REGIONS, MEASURED = result(biopsy_labels())


def test_keeps_the_rules_of_qupath() -> None:
    document = make_tracts_document(REGIONS, MEASURED, info(), "m 1")
    assert find_geojson_errors(document) == []
    tissue, *tracts = document["features"]
    assert tissue["properties"]["isLocked"] is True
    assert len(tracts) == 4
    first = tracts[0]["properties"]
    assert first["name"] == "PT 1"
    assert first["isLocked"] is False
    assert first["classification"] == {"name": "Portal tract", "color": [255, 160, 0]}
    assert first["measurements"]["PT area µm^2"] == pytest.approx(MEASURED.tracts[0].area_um2)
    assert document["glisson"]["pixelWidth"] == 0.25


def as_qupath_holds(feature: dict) -> shapely.Geometry:
    """Return a feature's geometry with QuPath's float32 vertices."""
    shape = shapely.geometry.shape(feature["geometry"])
    return shapely.transform(shape, lambda points: points.astype(np.float32).astype(float))


@pytest.mark.parametrize("x_l0", [0, 80_384.37, 140_288, 250_000.11])
@pytest.mark.parametrize("mpp", [0.25, 0.4977, 0.5021])
def test_tracts_lie_a_tenth_of_a_pixel_within_the_tissue(mpp: float, x_l0: float) -> None:
    """Otherwise QuPath 0.6 and 0.7 hang or fail beyond x = 80,000 px, and 0.5.1 nests nothing."""
    pixel = PixelSize(mpp, mpp)
    regions = find_regions(ArrayMap(Frame(pixel, 1.0), biopsy_labels()))
    measured = measure_biopsy(regions, pixel)
    slide = SlideInfo(
        "case 1", Path("case 1.svs"), "openslide:aperio", Size(300_000, 90_000), pixel, "file",
        BoxL0(-x_l0, -60_000.0, 9600, 2800), (1.0,),
    )  # fmt: skip
    document = make_tracts_document(regions, measured, slide, "m 1")
    assert find_geojson_errors(document) == []
    tissue, *tracts = map(as_qupath_holds, document["features"])
    inside = tissue.buffer(-0.1)
    assert all(inside.covers(tract) for tract in tracts)
    outlines = shapely.union_all([fragment.outline_l0 for fragment in regions.fragments])
    whole = sum(outlines.intersection(tract.outline_l0).area for tract in regions.tracts)
    assert sum(tract.area for tract in tracts) == pytest.approx(whole, rel=3e-4)


def test_vertices_are_few_and_areas_are_kept() -> None:
    _, *tracts = make_tracts_document(REGIONS, MEASURED, info(), "m 1")["features"]
    for feature, measured in zip(tracts, MEASURED.tracts, strict=True):
        shape = shapely.geometry.shape(feature["geometry"])
        assert len(shapely.get_coordinates(shape)) < 1000
        assert shape.area * PIXEL.area_um2 == pytest.approx(measured.area_um2, rel=0.01)


@pytest.mark.parametrize("name", NASTY)
def test_nasty_shapes_keep_the_rules(name: str) -> None:
    labels = np.zeros((400, 500), np.uint8)
    labels[50:350, 50:450] = 1
    mask = np.kron(NASTY[name], np.ones((4, 4), bool))[:300, :400]
    labels[50 : 50 + mask.shape[0], 50 : 50 + mask.shape[1]][mask] = 2
    assert find_geojson_errors(make_tracts_document(*result(labels), info(), "m 1")) == []


@given(
    x=st.floats(0, 90_000).map(lambda v: round(v, 2)),
    y=st.floats(0, 90_000).map(lambda v: round(v, 2)),
)
@settings(max_examples=15, deadline=None)
def test_bounds_shift_the_frame_of_qupath_and_come_back(
    tmp_path_factory: pytest.TempPathFactory, x: float, y: float
) -> None:
    path = tmp_path_factory.mktemp("geojson") / "tracts.geojson"
    bounds = BoxL0(x, y, 9000, 2000)
    write_tracts_geojson(path, REGIONS, MEASURED, info(bounds), "m 1")
    block = json.loads(path.read_text("utf-8"))["glisson"]
    assert (block["width"], block["height"]) == (9000, 2000)
    back = read_geojson(path, bounds)
    plain = make_tracts_document(REGIONS, MEASURED, info(), "m 1")["features"]
    for area, feature in zip(back.areas, plain, strict=True):
        whole_file = shapely.geometry.shape(feature["geometry"])
        assert shapely.hausdorff_distance(area.geometry_l0, whole_file) < 0.03


def test_level_0_frame_has_no_shift(tmp_path: Path) -> None:
    path = tmp_path / "tracts.geojson.gz"
    bounds = BoxL0(5000, 700, 9000, 2000)
    write_tracts_geojson(path, REGIONS, MEASURED, info(bounds), "m 1", frame="level0")
    assert json.loads(gzip.decompress(path.read_bytes()))["glisson"]["frame"] == "level0"
    back = read_geojson(path, bounds)
    assert back.areas[1].geometry_l0.distance(REGIONS.tracts[0].outline_l0.centroid) == 0


def test_same_result_same_bytes(tmp_path: Path) -> None:
    for name in ("a.geojson", "b.geojson"):
        write_tracts_geojson(tmp_path / name, REGIONS, MEASURED, info(), "m 1")
    assert (tmp_path / "a.geojson").read_bytes() == (tmp_path / "b.geojson").read_bytes()


def test_no_tissue_is_an_empty_collection() -> None:
    document = make_tracts_document(*result(np.zeros((300, 300), np.uint8)), info(), "m 1")
    assert document["features"] == []
    assert find_geojson_errors(document) == []


def _feature() -> dict:
    return make_tracts_document(REGIONS, MEASURED, info(), "m 1")["features"][1]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda f: f.update(id="12"), "UUID"),
        (lambda f: f["properties"].update(name=None), "name"),
        (lambda f: f["properties"]["classification"].pop("color"), "colour"),
        (lambda f: f["properties"]["classification"].update(color="#ff0000"), "colour"),
        (lambda f: f["properties"]["measurements"].update({"Area µm^2": 3.0}), "dropped"),
        (lambda f: f["properties"]["measurements"].update({"x": float("nan")}), "nan"),
        (lambda f: f["properties"]["metadata"].update({"PT probability": "1"}), "hides"),
        (lambda f: f.update(geometry=None), "geometry"),
        (
            lambda f: f.update(
                geometry={
                    "type": "Polygon",
                    "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]],
                }
            ),
            "invalid",
        ),
        (lambda f: f.update(geometry={"type": "GeometryCollection", "geometries": []}), "type"),
        (lambda f: f.update(type="Thing"), "not a Feature"),
        (lambda f: f.update(properties=None), "properties"),
        (lambda f: f["properties"].update(objectType="ROI"), "objectType"),
        (lambda f: f["properties"].update(color=[1, 2, 3]), "colour"),
        (lambda f: f["properties"].update(isLocked="yes"), "isLocked"),
        (lambda f: f["properties"].update(childObjects=[]), "nests"),
        (lambda f: f["properties"].update(classification=["Tissue"]), "classification"),
        (lambda f: f["properties"]["classification"].update(name=3), "name"),
        (lambda f: f["properties"]["classification"].update(color=[1, 2, 3, 4]), "colour"),
        (lambda f: f["properties"].update(measurements=[]), "no object"),
        (lambda f: f["properties"]["measurements"].update(x="3"), "not a number"),
        (lambda f: f["properties"]["metadata"].update(x=3), "not text"),
        (lambda f: f["geometry"]["coordinates"][0].pop(), "not closed"),
        (lambda f: f["geometry"].update(coordinates=None), "do not fit its type"),
        (lambda f: f["geometry"].update(coordinates=7), "do not fit its type"),
        (
            lambda f: f["geometry"].update(
                coordinates=[[[0, 0], [9, 0], [9, 0.001], [0, 0.001], [0, 0]]]
            ),
            "0.01 px",
        ),
    ],
)
def test_the_checker_sees_what_qupath_refuses(change, complaint: str) -> None:
    feature = json.loads(json.dumps(_feature()))
    change(feature)
    found = find_geojson_errors({"type": "FeatureCollection", "features": [feature]})
    assert any(complaint in text for text in found), found


def test_the_checker_sees_twins() -> None:
    found = find_geojson_errors({"type": "FeatureCollection", "features": [_feature(), _feature()]})
    assert any("twice" in text for text in found)


STYLES = [
    "qupath-0.2-bare-list.json",
    "qupath-0.3-bare-list.geojson",
    "qupath-0.5-feature-collection.geojson",
    "single-feature-with-hole.geojson",
    "mixed-geometry-types.geojson",
]


@pytest.mark.parametrize("name", STYLES)
def test_reads_every_style_of_export(fixtures_dir: Path, name: str) -> None:
    found = read_geojson(fixtures_dir / "geojson" / name)
    assert found.areas
    assert all(area.geometry_l0.is_valid for area in found.areas)
    assert all(area.geometry_l0.area > 0 for area in found.areas)


def _drawn(found: Annotations) -> list[NewAnnotation]:
    return [
        NewAnnotation(each.name, each.class_name, each.colour or (9, 9, 9), each.geometry_l0,
              identifier=each.identifier)
        for each in (*found.areas, *found.skipped)
    ]  # fmt: skip


def _raw(path: Path) -> list[dict]:
    document = json.loads(path.read_text("utf-8"))
    return document if isinstance(document, list) else document.get("features", [document])


@pytest.mark.parametrize("bounds", [None, BoxL0(5000, 700, 9000, 2000)])
@pytest.mark.parametrize("name", STYLES)
def test_every_style_comes_back_as_it_was(
    fixtures_dir: Path, tmp_path: Path, name: str, bounds: BoxL0 | None
) -> None:
    """Read, written for QuPath 0.5 to 0.7, and read again: geometry, holes, class, name, colour."""
    first = read_geojson(fixtures_dir / "geojson" / name, bounds)
    path = tmp_path / "again.geojson"
    write_annotations_geojson(path, _drawn(first), info(bounds), "a reader")
    assert find_geojson_errors(json.loads(path.read_text("utf-8"))) == []
    second = read_geojson(path, bounds)
    assert len(second.areas) + len(second.skipped) == len(_raw(fixtures_dir / "geojson" / name))
    for before, after in zip(first.areas, second.areas, strict=True):
        _same_thing(before, after)
        off = shapely.symmetric_difference(before.geometry_l0, after.geometry_l0).area
        assert off <= 0.01 * before.geometry_l0.length
        assert shapely.hausdorff_distance(before.geometry_l0, after.geometry_l0) < 0.011
        assert _holes(before.geometry_l0) == _holes(after.geometry_l0)
    for before, after in zip(first.skipped, second.skipped, strict=True):
        _same_thing(before, after)
        assert before.geometry_type == after.geometry_type
        assert shapely.equals_exact(before.geometry_l0, after.geometry_l0, 0.006)


def _same_thing(before: Annotation | Skipped, after: Annotation | Skipped) -> None:
    assert (after.class_name, after.name) == (before.class_name, before.name)
    assert after.colour == (before.colour if before.class_name else None)
    if len(before.identifier) == 36:  # a UUID, which QuPath 0.4 and later keep
        assert after.identifier == before.identifier


def _holes(geometry: shapely.Geometry) -> list[int]:
    return sorted(len(part.interiors) for part in shapely.get_parts(geometry))


def test_the_first_reading_loses_nothing_of_the_file(fixtures_dir: Path) -> None:
    """Against the raw JSON, read by nobody else."""
    path = fixtures_dir / "geojson" / "mixed-geometry-types.geojson"
    found, raw = read_geojson(path), _raw(path)
    kinds = [each["geometry"]["type"] for each in raw]
    assert kinds.count("Polygon") == len(found.areas) == 2
    assert [s.geometry_type for s in found.skipped] == [k for k in kinds if k != "Polygon"]
    classes = [each["properties"].get("classification", {}).get("name", "") for each in raw]
    assert sorted(classes) == sorted(e.class_name for e in (*found.areas, *found.skipped))
    assert found.areas[0].colour == (150, 200, 150)


def test_a_packed_colour_of_older_exports_is_read(fixtures_dir: Path) -> None:
    first, _ = read_geojson(fixtures_dir / "geojson" / "qupath-0.2-bare-list.json").areas
    assert (first.class_name, first.colour) == ("Tumor", (200, 0, 0))


def test_lines_in_several_parts_are_written_apart(tmp_path: Path) -> None:
    """QuPath 0.5 and 0.7 read them as one object and overflow when they export it."""
    lines = shapely.MultiLineString([[(0, 0), (9, 9)], [(20, 0), (29, 9)]])
    path = tmp_path / "a.geojson"
    drawn = NewAnnotation("", "", (0, 0, 0), lines, identifier=str(uuid.uuid4()))
    write_annotations_geojson(path, [drawn], info(), "a reader")
    assert find_geojson_errors(json.loads(path.read_text("utf-8"))) == []
    assert [each.geometry_type for each in read_geojson(path).skipped] == ["LineString"] * 2


def test_a_derived_class_comes_back(tmp_path: Path) -> None:
    path, square = tmp_path / "a.geojson", shapely.box(0, 0, 9, 9)
    drawn = NewAnnotation("", "Portal tract: Interface", (1, 2, 3), square)
    write_annotations_geojson(path, [drawn], info(), "a reader")
    (area,) = read_geojson(path).areas
    assert (area.class_name, area.colour, area.name) == ("Portal tract: Interface", (1, 2, 3), "")


def test_a_name_that_qupath_would_not_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"end its name in \.geojson"):
        write_annotations_geojson(tmp_path / "a.txt", [], info(), "a reader")


@pytest.mark.parametrize("files", [0, 1, 2])
def test_a_zip_of_qupaths_holds_one_file(tmp_path: Path, files: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("readme.txt", "no")
        for number in range(files):
            packed.writestr(f"{number}.geojson", json.dumps([_feature()]))
    if files == 1:
        assert len(read_geojson(path).areas) == 1
    else:
        with pytest.raises(AnnotationError, match=r"a\.zip is not GeoJSON: it holds"):
            read_geojson(path)


def test_holes_are_read(fixtures_dir: Path) -> None:
    (area,) = read_geojson(fixtures_dir / "geojson" / "single-feature-with-hole.geojson").areas
    rings = [p.interiors for p in shapely.get_parts(area.geometry_l0)]
    assert any(len(interiors) for interiors in rings)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[1, 2]", '"x"', '{"type": "Feature"}', '{"type": "Topology"}',
        '{"type": "Polygon", "coordinates": [[["a", 0], [1, 1], [2, 0], ["a", 0]]]}',
        '{"type": "Polygon", "coordinates": [[[NaN, 0], [1, 1], [2, 0], [NaN, 0]]]}',
        '{"type": "Polygon", "coordinates": 7}', "[" * 100_000,
    ],
)  # fmt: skip
def test_hostile_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=r"bad\.geojson"):
        read_geojson(path)


SQUARE = [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]


@pytest.mark.parametrize("properties", [[1], "portal", 7])
def test_properties_that_are_no_object_are_refused(tmp_path: Path, properties: object) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": SQUARE},
        "properties": properties,
    }
    path = tmp_path / "bad.geojson"
    path.write_text(json.dumps(feature))
    with pytest.raises(AnnotationError, match=r"bad\.geojson, feature 0: its properties are"):
        read_geojson(path)


@pytest.mark.parametrize("damage", ["cut", "scrambled", "no gzip"])
def test_damaged_compressed_files_are_refused_by_name(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(json.dumps([{"a": list(range(500))}]).encode(), mtime=0)
    data = {
        "cut": whole[: len(whole) // 2],
        "scrambled": whole[:10] + b"\xff" * 40 + whole[50:],
        "no gzip": b"[]",
    }[damage]
    path = tmp_path / "bad.geojson.gz"
    path.write_bytes(data)
    with pytest.raises(AnnotationError, match=r"bad\.geojson\.gz is not GeoJSON"):
        read_geojson(path)


def test_what_has_no_area_is_kept_apart_with_its_class(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": SQUARE[0]}
    properties = {"classification": {"name": "Portal tract"}}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([{"type": "Feature", "geometry": line, "properties": properties}]))
    found = read_geojson(path)
    assert not found.areas
    (skipped,) = found.skipped
    assert (skipped.class_name, skipped.geometry_type) == ("Portal tract", "LineString")
    assert skipped.where == "a.geojson, feature 0"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda f: f["properties"].update(objectType="cell"), "cell"),
        (lambda f: f["properties"].update(objectType="tile"), "tile"),
        (lambda f: f["properties"].update(objectType="tma_core"), "TMA core"),
        (
            lambda f: (f["properties"].update(objectType=None), f.update(id="PathCellObject")),
            "cell",
        ),
        (
            lambda f: f["properties"].update(objectType=None, object_type="DETECTION"),
            "detection",
        ),
    ],
)  # fmt: skip
def test_other_objects_are_counted_and_left_out(tmp_path: Path, change, kind: str) -> None:
    other = json.loads(json.dumps(_feature()))
    change(other)
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([_feature(), other]))
    found = read_geojson(path)
    assert len(found.areas) == 1
    assert found.others == {kind: 1}
    assert f"1 {kind} left out" in (found.note_on_others or "")


@pytest.mark.parametrize("written", ["annotation", "thing", None])
def test_objects_of_no_or_unknown_type_are_annotations(tmp_path: Path, written: str | None) -> None:
    """As QuPath reads them."""
    feature = json.loads(json.dumps(_feature()))
    feature["properties"]["objectType"] = written
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([feature]))
    assert len(read_geojson(path).areas) == 1


L_SHAPE = shapely.union_all([shapely.box(0, 0, 400, 4000), shapely.box(0, 3600, 3000, 4000)])


@pytest.mark.parametrize(
    ("drawn", "is_accepted"),
    [
        (L_SHAPE, True),
        (L_SHAPE.buffer(40), True),
        (L_SHAPE.convex_hull, True),
        (shapely.box(0, 0, 400, 1000), True),
        (shapely.affinity.scale(L_SHAPE, -1, 1), False),
        (shapely.affinity.scale(L_SHAPE, 0.25, 0.25, origin=(-2000, 0)), False),
        (shapely.affinity.translate(L_SHAPE, 300, -300), False),
        (shapely.affinity.translate(L_SHAPE, 40, 0), False),
    ],
)
def test_outlines_beside_the_tissue_are_noticed(drawn: shapely.Geometry, is_accepted: bool) -> None:
    found = [L_SHAPE, shapely.box(5000, 0, 6000, 2000)]
    path = Path("a.geojson")
    if is_accepted:
        assert check_overlap([drawn], found, info(), path) is None
        return
    with pytest.raises(AnnotationError, match="mirrored copy"):
        check_overlap([drawn], found, info(), path)
    assert "of the drawn outlines overlap" in str(check_overlap([drawn], found, info(), path, True))
