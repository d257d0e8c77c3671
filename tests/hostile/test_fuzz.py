"""Every parser, given valid files made wrong: a result or a GlissonError, soon, in little memory.

Few examples, always the same, run with the other tests; `make fuzz` runs thousands of others.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from glisson.clinical.reading import BiopsyRow, CaseRow, read_table
from glisson.dataset.manifest import read_manifest as read_tile_manifest
from glisson.dataset.masks import decode_mask, read_picture
from glisson.dataset.study import read_study
from glisson.dataset.tile_folder import read_settings
from glisson.errors import GlissonError
from glisson.exchange import read_class_map, read_geojson, write_class_map, write_qupath_project
from glisson.exchange.geojson import NewAnnotation, write_annotations_geojson
from glisson.files.hashing import hash_file
from glisson.frames import Frame, PixelSize, RegionUm, Size
from glisson.inputs import assign_pseudonyms, list_slides
from glisson.model import add_model, load_bundle
from glisson.model.store.torchscript import read_wsinfer_facts
from glisson.results import name_folders
from glisson.results.folder import find_redo_reason
from glisson.results.reading import read_slides
from glisson.results.state import list_warnings, read_states
from glisson.run.executors import Shard
from glisson.slides import open_slide
from glisson.slides.slide import SlideInfo
from glisson_phantom.writing import write_pyramid
from tests.hostile.guard import bounded, in_a_child
from tests.hostile.mutations import broken_bytes, broken_json
from tests.records import content

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
TIMES = 50
pytestmark = pytest.mark.filterwarnings("ignore")


def fuzzed(few: int) -> Callable[[Any], Any]:
    """`few` examples with the other tests, always the same; `make fuzz` takes others, 50 times as
    many.
    """
    return settings(
        max_examples=few * TIMES if LONG else few,
        derandomize=not LONG,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def only_our_errors() -> Iterator[None]:
    with bounded(), contextlib.suppress(GlissonError):
        yield


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="glisson-fuzz-") as name:
        yield Path(name)


RING = [[10, 10], [90, 10], [90, 90], [10, 90], [10, 10]]
GEOJSON: dict[str, Any] = {
    "type": "FeatureCollection",
    "glisson": {"image": "a", "frame": "qupath", "width": 100, "height": 100, "boundsX": 0},
    "features": [
        {
            "type": "Feature",
            "id": "PathAnnotationObject",
            "geometry": {"type": "Polygon", "coordinates": [RING]},
            "properties": {
                "objectType": "annotation",
                "name": "PT 1",
                "isLocked": True,
                "classification": {"name": "Portal", "names": ["a", "b"], "color": [1, 2, 3]},
                "childObjects": [],
            },
        },
        {
            "type": "Feature",
            "geometry": {"type": "MultiPolygon", "coordinates": [[RING]]},
            "properties": {"classification": {"name": "x", "colorRGB": -377282}},
        },
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": RING}},
        {
            "type": "GeometryCollection",
            "coordinates": [],
            "geometries": [{"type": "Polygon", "coordinates": [RING]}],
        },
    ],
}
TEXT = json.dumps(GEOJSON).encode()


def zipped(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


INFO = SlideInfo("a", None, "memory", Size(100, 100), PixelSize(0.5, 0.5), "file", None, (1.0,))


@fuzzed(60)
@given(st.one_of(broken_json(GEOJSON), broken_bytes(TEXT)))
def test_geojson(data: bytes) -> None:
    with folder() as place, only_our_errors():
        (place / "a.geojson").write_bytes(data)
        read = read_geojson(place / "a.geojson")
        drawn = [
            NewAnnotation(area.name, area.class_name, area.colour or (1, 2, 3), area.geometry_l0)
            for area in read.areas
        ]
        write_annotations_geojson(place / "b.geojson", drawn, INFO, "fuzz")
        read_geojson(place / "b.geojson")


@fuzzed(10)
@given(
    st.sampled_from([(".gz", gzip.compress(TEXT)), (".zip", zipped("a.geojson", TEXT))]).flatmap(
        lambda kind: st.tuples(st.just(kind[0]), broken_bytes(kind[1]))
    )
)
def test_packed_geojson(packed: tuple[str, bytes]) -> None:
    with folder() as place, only_our_errors():
        path = place / f"a.geojson{packed[0]}"
        path.write_bytes(packed[1])
        read_geojson(path)


CASES = (
    b"slide,patient,institution,diagnosis,role,annotations,override_mpp,mpp,sections,pseudonym\n"
    b'a.svs,P1,Monza,"AIH, treated",train,{slide}.geojson,0.5,0.25,2,X1\n'
    b"b.svs,P2,,,clinical,,,,,X2\n"
)
TILES = (
    b"tile,slide,patient,institution,diagnosis,split,mpp,size_px,x_px,y_px,x_l0,y_l0,width_l0,"
    b"height_l0,background,lobule,portal,ignored\n"
    b"a_x0_y0,a,P1,M,AIH,train,2,256,0,0,0,0,1024,1024,0.1,0.8,0.1,0\n"
)
STUDY = (
    b"slide;patient;role;stage;report_tract_count;manual_length_cm;tissue_area_mm2;portal_percent\n"
    b"a.svs;P1;clinical;F2;11;1,5;12,5;7,1\n"
)


@fuzzed(60)
@given(st.sampled_from([CASES, TILES, STUDY]).flatmap(broken_bytes))
def test_tables(data: bytes) -> None:
    with folder() as place:
        for name in ("a.svs", "b.svs", "a.geojson"):
            (place / name).touch()
        table = place / "cases.csv"
        table.write_bytes(data)
        asked = list_slides([place / "a.svs"])
        for read in (
            lambda: list_slides([], table),
            lambda: assign_pseudonyms(asked, table),
            lambda: read_study(table),
            lambda: read_tile_manifest(table),
            lambda: read_table(table, CaseRow),
            lambda: read_table(table, BiopsyRow),
        ):
            with only_our_errors():
                read()


@fuzzed(40)
@given(st.text(max_size=40), st.text(max_size=300))
def test_names(text: str, name: str) -> None:
    with only_our_errors():
        Shard.parse(text)
    with only_our_errors():
        stem = name.replace("/", "_").replace("\0", "")
        (found,) = name_folders([Path("folder") / f"{stem}.svs"])
        assert not any(
            unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in found
        )
        assert len(found.encode()) <= 150
    with only_our_errors():
        open_slide(name)


def safetensors(array: np.ndarray) -> bytes:
    header = {"w": {"dtype": "F32", "shape": list(array.shape), "data_offsets": [0, array.nbytes]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + array.tobytes()


def npy(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


BUNDLE = {
    "model.safetensors": safetensors(np.zeros((3, 4), np.float32)),
    "model.onnx": b"\x08\x07\x12\x07pytorch",
    "self_test_input.npy": npy(np.zeros((32, 32, 3), np.uint8)),
    "self_test_expected.npy": npy(np.zeros((3, 32, 32), np.float16)),
}
SPEC: dict[str, Any] = {
    "format_version": 1,
    "name": "x",
    "version": "1",
    "mpp": 2.0,
    "window_px": 64,
    "classes": ["background", "lobule", "portal"],
    "output_stride": 4,
    "windows": {"side_px": 64, "overlap_px": 16},
    "normalisation": {"scale": 0.004, "mean": [0, 0, 0], "std": [1, 1, 1]},
    "architecture": {"family": "segformer", "config": {"depths": [1, 1]}},
    "licence": "none",
    "trained_on": "none",
    "intended_use": "none",
    "created": "today",
    "files": {},
    "self_test": {
        "input": "self_test_input.npy",
        "expected": "self_test_expected.npy",
        "tolerance": 0.002,
        "reduced_tolerance": 0.05,
    },
}


def write_bundle(place: Path, files: dict[str, bytes], spec: bytes | None = None) -> Path:
    """With the hashes that its files have: those of a stranger are as right as ours."""
    place.mkdir(exist_ok=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    hashes = {name: hash_file(place / name) for name in files}
    text = json.dumps(SPEC | {"files": hashes}).encode() if spec is None else spec
    (place / "model.json").write_bytes(text)
    return place


@fuzzed(25)
@given(
    st.sampled_from(sorted(BUNDLE)).flatmap(
        lambda name: st.tuples(st.just(name), broken_bytes(BUNDLE[name]))
    )
)
def test_files_of_a_bundle(broken: tuple[str, bytes]) -> None:
    with folder() as place, only_our_errors():
        bundle = load_bundle(write_bundle(place, BUNDLE | {broken[0]: broken[1]}))
        bundle.self_test_tile()
        bundle.self_test_expected()


@cache
def whole_spec() -> dict[str, Any]:
    with folder() as place:
        write_bundle(place, BUNDLE)
        return dict(json.loads((place / "model.json").read_text()))


@fuzzed(30)
@given(st.deferred(lambda: broken_json(whole_spec())))
def test_model_json(spec: bytes) -> None:
    with folder() as place, only_our_errors():
        load_bundle(write_bundle(place, BUNDLE, spec))


@cache
def bundle_zip() -> bytes:
    with folder() as place:
        write_bundle(place / "x", BUNDLE)
        return Path(shutil.make_archive(str(place / "a"), "zip", place / "x")).read_bytes()


@fuzzed(15)
@given(st.deferred(lambda: broken_bytes(bundle_zip())))
def test_model_archives(data: bytes) -> None:
    with folder() as place, pytest.MonkeyPatch.context() as patch, only_our_errors():
        patch.setenv("GLISSON_MODELS", str(place / "store"))
        (place / "model.zip").write_bytes(data)
        add_model(place / "model.zip")


WSINFER = {
    "spec_version": "1.0",
    "class_names": ["background", "tissue", "portal"],
    "license": "x",
    "patch_size_pixels": 256,
    "spacing_um_px": 1.0,
    "transform": [
        {"name": "ToTensor"},
        {"name": "Normalize", "arguments": {"mean": [0, 0, 0], "std": [1, 1, 1]}},
    ],
}


@fuzzed(20)
@given(st.one_of(broken_json(WSINFER), broken_bytes(json.dumps(WSINFER).encode())))
def test_configs_of_torchscript(data: bytes) -> None:
    with folder() as place, only_our_errors():
        (place / "config.json").write_bytes(data)
        read_wsinfer_facts(place / "config.json", "x")


def picture(side: int = 96) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (side, side, 3), np.uint8)


def encoded(kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture()).save(data, format=kind, **options)
    return data.getvalue()


def pyramid(name: str, style: Any) -> bytes:
    with folder() as place:
        write_pyramid(place / name, picture(600), Size(600, 600), PixelSize(0.5, 0.5), style)
        path = place / name
        return (sorted(path.iterdir())[0] if path.is_dir() else path).read_bytes()


def ome(**options: Any) -> bytes:
    data = io.BytesIO()
    physical = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(data, picture(), photometric="rgb", ome=True, metadata=physical, **options)
    return data.getvalue()


SLIDES: dict[str, Callable[[], bytes]] = {
    "a.png": lambda: encoded("PNG"),
    "a.jpg": lambda: encoded("JPEG", exif=Image.Exif()),
    "b.tif": lambda: encoded("TIFF", compression="tiff_lzw"),
    "a.ome.tif": lambda: ome(tile=(32, 32), compression="deflate"),
    "b.ome.tif": lambda: ome(),
    "c.ome.tif": lambda: pyramid("c.ome.tif", "ome"),
    "a.svs": lambda: pyramid("a.svs", "aperio"),
    "a.tiff": lambda: pyramid("a.tiff", "philips"),
    "c.tif": lambda: pyramid("c.tif", "tiff"),
}


@cache
def valid_slide(name: str) -> bytes:
    return SLIDES[name]()


def open_and_read(path: Path) -> None:
    with only_our_errors(), open_slide(path, mpp=0.5) as slide:
        slide.read(RegionUm(0, 0, 40, 40), 1.0)
        slide.read(RegionUm(0, 0, 40, 40), 0.5)


@fuzzed(36)
@given(
    st.sampled_from(sorted(SLIDES)).flatmap(
        lambda name: st.tuples(st.just(name), broken_bytes(valid_slide(name)))
    )
)
def test_slides(broken: tuple[str, bytes]) -> None:
    with folder() as place:
        (place / broken[0]).write_bytes(broken[1])
        assert in_a_child(lambda: open_and_read(place / broken[0])) == 0


@fuzzed(5)
@given(st.deferred(lambda: broken_bytes(dicom_level())))
def test_dicom_folders(data: bytes) -> None:
    with folder() as place:
        (place / "slide").mkdir()
        (place / "slide" / "a.dcm").write_bytes(data)
        assert in_a_child(lambda: open_and_read(place / "slide")) == 0


@cache
def dicom_level() -> bytes:
    pytest.importorskip("pydicom")
    return pyramid("dicom", "dicom")


class Labels:
    """A small class map."""

    frame = Frame(PixelSize(0.5, 0.5), 2.0)
    size_px = Size(700, 300)

    def boxes(self) -> Any:
        from glisson.frames import BoxPx

        return (BoxPx(0, 0, 512, 300),)

    def crop(self, box_px: Any) -> Any:
        from tests.scenes import Crop

        labels = np.ones((box_px.height_px, box_px.width_px), np.uint8)
        return Crop(labels, labels.astype(np.float32))


@cache
def class_map() -> bytes:
    with folder() as place:
        write_class_map(place / "classes.ome.tif", Labels())
        return (place / "classes.ome.tif").read_bytes()


@fuzzed(20)
@given(st.deferred(lambda: broken_bytes(class_map())))
def test_class_maps(data: bytes) -> None:
    with folder() as place, only_our_errors():
        (place / "classes.ome.tif").write_bytes(data)
        read_class_map(place / "classes.ome.tif", PixelSize(0.5, 0.5))


@fuzzed(20)
@given(st.sampled_from([encoded("PNG"), encoded("JPEG")]).flatmap(broken_bytes))
def test_masks(data: bytes) -> None:
    with folder() as place, only_our_errors():
        (place / "a.png").write_bytes(data)
        decode_mask(read_picture(place / "a.png"), "a.png")


def made_project(place: Path) -> None:
    (place / "a.svs").write_bytes(b"x")
    (place / "out").mkdir(exist_ok=True)
    info = SlideInfo(
        "a",
        place / "a.svs",
        "openslide:aperio",
        Size(9, 9),
        PixelSize(0.5, 0.5),
        "file",
        None,
        (1.0,),
    )
    write_qupath_project(place / "qupath", [(info, place / "out" / "tracts.geojson")])


PROJECT_FILES = ("project.qpproj", "glisson.json", "classifiers/classes.json")


@cache
def project_files() -> dict[str, Any]:
    with folder() as place:
        made_project(place)
        return {name: json.loads((place / "qupath" / name).read_text()) for name in PROJECT_FILES}


@fuzzed(25)
@given(
    st.sampled_from(PROJECT_FILES).flatmap(
        lambda name: st.tuples(st.just(name), broken_json(project_files()[name]))
    )
)
def test_qupath_projects(broken: tuple[str, bytes]) -> None:
    with folder() as place:
        made_project(place)
        (place / "qupath" / broken[0]).write_bytes(broken[1])
        with only_our_errors():
            made_project(place)


RECORD = content(tracts=1)
MANIFEST = {"status": "done", "made_from": {"slide": "0"}, "files": {"overview.png": "0"}}
FAILURE: dict[str, Any] = {
    "status": "failed",
    "error": "e",
    "when": "2026-01-01T00:00:00+00:00",
    "request": {
        "file": "a.svs",
        "path": "/x/a.svs",
        "patient": None,
        "institution": None,
        "pseudonyms": False,
    },
}


@fuzzed(30)
@given(broken_json(RECORD), broken_json(MANIFEST))
def test_results_of_others(record: bytes, manifest: bytes) -> None:
    with folder() as place:
        (place / "a").mkdir()
        (place / "a" / "biopsy.json").write_bytes(record)
        (place / "a" / "manifest.json").write_bytes(manifest)
        with only_our_errors():
            find_redo_reason(place / "a", {"slide": "0"})
        (place / "a" / "manifest.json").write_text(json.dumps(MANIFEST))
        with only_our_errors():
            _, slides = read_slides(place)
            assert [slide.info.name for slide in slides]


@fuzzed(20)
@given(broken_json(FAILURE), broken_json(MANIFEST))
def test_states_of_others(failure: bytes, manifest: bytes) -> None:
    with folder() as place:
        (place / "a").mkdir()
        (place / "a" / "failed.json").write_bytes(failure)
        (place / "b").mkdir()
        (place / "b" / "biopsy.json").write_text(json.dumps(RECORD))
        (place / "b" / "manifest.json").write_bytes(manifest)
        states = read_states(place)
        assert "b" in {state.name for state in states}
        list_warnings(states)


@fuzzed(10)
@given(st.one_of(broken_json({"split": {"by": "patient"}}), broken_bytes(b'{"split": {}}')))
def test_settings_of_tiles(data: bytes) -> None:
    with folder() as place, only_our_errors():
        (place / "tiles.json").write_bytes(data)
        read_settings(place)


@cache
def checkpoint() -> bytes:
    torch = pytest.importorskip("torch")
    with folder() as place:
        state = {"network": {"w": torch.zeros(3)}, "recipe": {}, "progress": {"step": 1}}
        torch.save(state, place / "last.pt")
        return (place / "last.pt").read_bytes()


@fuzzed(6)
@given(st.deferred(lambda: broken_bytes(checkpoint())))
def test_checkpoints(data: bytes) -> None:
    pytest.importorskip("torch")
    from glisson.training.checkpoint import load_checkpoint

    with folder() as place, only_our_errors():
        (place / "last.pt").write_bytes(data)
        load_checkpoint(place / "last.pt")
