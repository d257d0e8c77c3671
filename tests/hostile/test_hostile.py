"""Files made to cost, to lie or to lead elsewhere are refused, soon and in little memory."""

from __future__ import annotations

import csv
import gzip
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from glisson.dataset.study import read_study
from glisson.errors import (
    AnnotationError,
    DamagedSlide,
    GlissonError,
    InvalidBundle,
    SettingsError,
    SlideNotFound,
    UnsafeModel,
    UnsupportedSlide,
)
from glisson.exchange import read_geojson
from glisson.files.csv_tables import escape_cell, unescape_cell
from glisson.inputs import list_slides
from glisson.model import add_model, find_model, load_bundle, open_runtime
from glisson.model.store.torchscript import read_wsinfer_facts
from glisson.results import name_folders
from glisson.results.state import read_states
from glisson.run.executors import choice, in_process
from glisson.run.segment import segment
from glisson.slides import open_slide
from glisson.slides.dicom_folder import find_dicom_file
from tests.hostile.guard import bounded
from tests.hostile.test_fuzz import BUNDLE, FAILURE, RING, encoded, pyramid, write_bundle
from tests.scenes import ColourModel


@pytest.fixture(autouse=True)
def within_bounds() -> Iterator[None]:
    with bounded():
        yield


def polygon(*rings: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
    }


def scribble(points: int) -> list[list[float]]:
    ring = np.random.default_rng(0).random((points, 2)) * 1e4
    return [*ring.tolist(), ring[0].tolist()]


OUTLINES: dict[str, Callable[[], bytes]] = {
    "lists in lists": lambda: b"[" * 5_000_000,
    "features in features": lambda: b'{"type":"FeatureCollection","features":[' * 900 + b"]}" * 900,
    "a number of 400 digits": lambda: json.dumps(polygon([[10**400, 0], *RING])).encode(),
    "a number of 5000 digits": lambda: b'{"type":"Feature","id":' + b"9" * 5000 + b"}",
    "not a number": lambda: json.dumps(polygon([*RING[:2], [np.nan, 1], *RING[2:]])).encode(),
    "infinity": lambda: json.dumps(polygon([*RING[:2], [np.inf, 1], *RING[2:]])).encode(),
    "1e308": lambda: json.dumps(polygon([*RING[:2], [1e308, 1], *RING[2:]])).encode(),
    "9 million empty lists": lambda: b"[" + b"[]," * 9_000_000 + b"[]]",
    "an outline that crosses itself a million times": lambda: json.dumps(
        polygon(scribble(2000))
    ).encode(),
    "no geometry": lambda: b'{"type":"Feature","geometry":null,"properties":null}',
    "UTF-16": lambda: json.dumps(polygon(RING)).encode("utf-16"),
}


@pytest.mark.parametrize("name", list(OUTLINES))
def test_outlines(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_bytes(OUTLINES[name]())
    with pytest.raises(AnnotationError):
        read_geojson(tmp_path / "a.geojson")


def test_outlines_that_unpack_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.geojson.gz").write_bytes(300 * gzip.compress(b" " * (1 << 20), 1))
    with pytest.raises(AnnotationError, match="256 MiB"):
        read_geojson(tmp_path / "a.geojson.gz")


def test_of_keys_given_twice_the_last_one_counts(tmp_path: Path) -> None:
    text = json.dumps(polygon(RING)).replace('"type"', '"type": "Nothing", "type"', 1)
    (tmp_path / "a.geojson").write_text(text)
    assert len(read_geojson(tmp_path / "a.geojson").areas) == 1


def test_names_of_outlines_are_text_that_every_file_takes(tmp_path: Path) -> None:
    feature = polygon(RING)
    feature["properties"] = {
        "name": "a\ud800b\x1b[31m\n",
        "classification": {"name": "\x00Por\u202etal"},
    }
    (tmp_path / "a.geojson").write_text(json.dumps(feature))
    (area,) = read_geojson(tmp_path / "a.geojson").areas
    assert (area.name, area.class_name) == ("a?b[31m", "Portal")


def patched(data: bytes, tag: int, value: int) -> bytes:
    """A classic little-endian TIFF whose first page says another number for a tag."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for place in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] == tag:
            return data[: place + 2] + struct.pack("<HII", 4, 1, value) + data[place + 12 :]
    raise AssertionError(f"no tag {tag}")


WIDTH, LENGTH, TILE_WIDTH, TILE_LENGTH = 256, 257, 322, 323


@pytest.mark.parametrize("name", ["a.svs", "a.ome.tif", "a.tif"])
@pytest.mark.parametrize("side", [2**31 - 1, 3_000_000, 700_000])
def test_a_small_file_that_says_it_is_huge(name: str, side: int, tmp_path: Path) -> None:
    style = {"a.svs": "aperio", "a.ome.tif": "ome", "a.tif": "tiff"}[name]
    data = patched(patched(pyramid(name, style), WIDTH, side), LENGTH, side)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GlissonError):
        open_slide(tmp_path / name, mpp=0.5)


def test_one_tile_of_a_billion_pixels(tmp_path: Path) -> None:
    data = pyramid("a.ome.tif", "ome")
    data = patched(patched(data, TILE_WIDTH, 1 << 16), TILE_LENGTH, 1 << 14)
    (tmp_path / "a.ome.tif").write_bytes(data)
    with pytest.raises(UnsupportedSlide, match="in one tile"):
        open_slide(tmp_path / "a.ome.tif")


def test_tiles_without_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.ome.tif").write_bytes(patched(pyramid("a.ome.tif", "ome"), TILE_LENGTH, 0))
    with pytest.raises(GlissonError):
        open_slide(tmp_path / "a.ome.tif")


def test_a_billion_laughs(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [{entities}]><OME>&a9;</OME>'
    tifffile.imwrite(
        tmp_path / "a.ome.tif", np.zeros((64, 64, 3), np.uint8), description=xml, metadata=None
    )
    with pytest.raises(DamagedSlide, match="entities"):
        open_slide(tmp_path / "a.ome.tif", mpp=0.5)


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def test_a_picture_that_says_it_is_huge(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0" * 1000)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(UnsupportedSlide, match="megapixels"):
        open_slide(tmp_path / "a.png", mpp=0.5)


def test_a_picture_whose_text_unpacks_without_end(tmp_path: Path) -> None:
    data = encoded("PNG")
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(b" " * (20 << 20), 1))
    (tmp_path / "a.png").write_bytes(data[:33] + bomb + data[33:])
    with pytest.raises(DamagedSlide):
        open_slide(tmp_path / "a.png", mpp=0.5)


def test_a_jpeg_that_says_it_is_huge(tmp_path: Path) -> None:
    data = bytearray(encoded("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(UnsupportedSlide, match="megapixels"):
        open_slide(tmp_path / "a.jpg", mpp=0.5)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "no such file.svs"])
def test_no_such_slide(name: str) -> None:
    with pytest.raises(SlideNotFound):
        open_slide(name)


def test_a_label_is_not_what_a_dicom_slide_is_known_by(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    (tmp_path / "b.dcm").write_bytes(pyramid("dicom", "dicom"))
    file = pydicom.dcmread(tmp_path / "b.dcm")
    file.ImageType = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    file.save_as(tmp_path / "a.dcm")
    assert find_dicom_file(tmp_path).name == "b.dcm"


@pytest.mark.parametrize(
    "name",
    [
        "a\nb",
        "a\x1b[31m",
        "a\tb",
        "a\u202egvs",
        "a\u200fb",
        "x" * 151,
        "ä" * 76,
        "\udcff",
        "a\u2028b",
    ],
)
def test_names_that_hide_something(name: str) -> None:
    with pytest.raises(SettingsError, match=r"(?s)Rename|Shorten"):
        name_folders([Path(f"{name}.svs")])


def test_a_slide_called_like_a_file_of_the_run() -> None:
    assert name_folders([Path("qupath.svs"), Path("Run.json.tif"), Path("report.html.svs")]) == [
        "qupath.svs",
        "Run.json.tif",
        "report.html.svs",
    ]
    with pytest.raises(SettingsError, match="Rename"):
        name_folders([Path("qupath")])


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),  # a spreadsheet that splits at tabs begins a cell after it
        ("-0.12", "-0.12"),
        ("+3", "+3"),
        ("-0.12 (-0.20 to 0.05)", "-0.12 (-0.20 to 0.05)"),
        ("-1e-05", "-1e-05"),
        ("a=1", "a=1"),
    ],
)
def test_texts_are_no_formulas_in_tables(text: str, cell: str) -> None:
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text


def test_a_name_that_is_a_formula_and_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every table and page of a run in which the slide fails."""
    monkeypatch.setattr(choice, "SEVERAL", "here")
    monkeypatch.setattr(in_process, "OpeningRuntime", lambda *_, **__: ColourModel())
    name = '=HYPERLINK("x")<img src=x onerror=alert(1)>'
    (tmp_path / f"{name}.svs").write_bytes(b"no slide")
    (tmp_path / "other.svs").write_bytes(pyramid("a.svs", "aperio"))
    result = segment(sorted(tmp_path.glob("*.svs")), tmp_path / "out")
    assert len(result.failed) == 1
    with (tmp_path / "out" / "failures.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["slide"] == f"'{name}"
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_fields_with_a_format_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.svs").touch()
    for name in ("{slide:>9999999999}", "{slide.__class__}", "{}", "{"):
        (tmp_path / "cases.csv").write_text(f"slide,annotations\na.svs,{name}\n")
        with pytest.raises(SettingsError, match="field"):
            read_study(tmp_path)


def test_tables_of_gigabytes(tmp_path: Path) -> None:
    with (tmp_path / "slides.csv").open("wb") as file:
        file.write(b"slide\n")
        file.truncate(5 << 30)
    with pytest.raises(SettingsError, match="64 MiB"):
        list_slides([], tmp_path / "slides.csv")


@pytest.mark.parametrize(
    "changed",
    [{"status": "done"}, {"request": {}}, {"when": "soon"}, {"error": 3}, {"request": {"file": 1}}],
)
def test_failures_that_no_run_wrote(changed: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "failed.json").write_text(json.dumps(FAILURE | changed))
    (state,) = read_states(tmp_path)
    assert state.is_waiting
    assert "failed.json cannot be read" in (state.error or "")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLISSON_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


def test_the_bundle_of_these_tests_is_one(tmp_path: Path) -> None:
    load_bundle(write_bundle(tmp_path / "x", BUNDLE))


def test_weights_in_other_files(tmp_path: Path) -> None:
    entry = b"\x0a\x08location\x12\x0e../../../passwd"
    bundle = write_bundle(tmp_path / "x", BUNDLE | {"model.onnx": b"\x08\x07" + entry})
    with pytest.raises(UnsafeModel, match="other files"):
        load_bundle(bundle)


def test_onnx_really_writes_the_key_so(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.numpy_helper.from_array(np.zeros(500_000, np.float32), "w")
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    onnx.save_model(
        onnx.helper.make_model(graph),
        tmp_path / "model.onnx",
        save_as_external_data=True,
        location="weights",
        size_threshold=0,
    )
    files = BUNDLE | {"model.onnx": (tmp_path / "model.onnx").read_bytes()}
    with pytest.raises(UnsafeModel, match="other files"):
        load_bundle(write_bundle(tmp_path / "x", files))


def test_an_onnx_file_that_is_none(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "x", BUNDLE | {"model.onnx": b"\xff" * 5000}))
    with pytest.raises(InvalidBundle, match="cannot be run"):
        open_runtime(bundle)


def npy_header(shape: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    "data",
    [
        npy_header("(1000000, 1000000, 3)"),
        npy_header("(10**9, 3)"),
        npy_header("(-1, 3)"),
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 60_000) + b"(" * 60_000,
    ],
)
def test_arrays_that_say_they_are_huge(data: bytes, tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "x", BUNDLE | {"self_test_input.npy": data}))
    with pytest.raises(InvalidBundle):
        bundle.self_test_tile()


def test_an_archive_instead_of_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.zeros(3))
    files = BUNDLE | {"self_test_input.npy": (tmp_path / "a.npz").read_bytes()}
    bundle = load_bundle(write_bundle(tmp_path / "x", files))
    with pytest.raises(InvalidBundle, match="archive"):
        bundle.self_test_tile()


def test_weights_whose_header_is_nested_deep(tmp_path: Path) -> None:
    header = b"[" * 1_000_000
    weights = len(header).to_bytes(8, "little") + header
    with pytest.raises(InvalidBundle, match="safetensors"):
        load_bundle(write_bundle(tmp_path / "x", BUNDLE | {"model.safetensors": weights}))


@pytest.mark.parametrize("spec", [b" " * (17 << 20), b"[" * 1_000_000])
def test_a_model_json_without_end(spec: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle):
        load_bundle(write_bundle(tmp_path / "x", BUNDLE, spec))


def test_a_link_out_of_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    bundle = write_bundle(tmp_path / "x", BUNDLE)
    (bundle / "README").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafeModel, match="link"):
        load_bundle(bundle)


ENTRIES = ("../evil", "/evil", "a/../../evil", "C:\\evil", "..\\evil", "a\nb")


@pytest.mark.parametrize("name", ENTRIES)
def test_archives_that_slip(name: str, tmp_path: Path, store: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(UnsafeModel):
        add_model(tmp_path / "a.zip")
    assert not list(tmp_path.rglob("evil"))


def test_links_in_archives(tmp_path: Path, store: Path) -> None:
    link = zipfile.ZipInfo("model.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeModel):
        add_model(tmp_path / "a.zip")


def test_archives_that_unpack_without_end(tmp_path: Path, store: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.json", b"{}")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(UnsafeModel, match="unpacks to more"):
        add_model(tmp_path / "a.zip")


def test_torchscript_runs_only_once_it_was_added(tmp_path: Path, store: Path) -> None:
    """A folder of a stranger may say that it is one of ours."""
    bundle = write_bundle(tmp_path / "x", BUNDLE)
    with zipfile.ZipFile(bundle / "model.pt", "w") as archive:
        for name in ("constants.pkl", "code/__torch__.py", "data.pkl"):
            archive.writestr(f"archive/{name}", b"x")
    spec = json.loads((bundle / "model.json").read_text())
    files = BUNDLE | {"model.pt": (bundle / "model.pt").read_bytes()}
    spec["architecture"] = {"family": "torchscript"}
    spec["files"] |= {"model.pt": load_hash(bundle / "model.pt")}
    write_bundle(bundle, files, json.dumps(spec).encode())
    with pytest.raises(UnsafeModel, match="models add"):
        find_model(bundle)


def load_hash(path: Path) -> str:
    from glisson.files.hashing import hash_file

    return hash_file(path)


@pytest.mark.parametrize(
    "changes", [{"patch_size_pixels": 10**9}, {"patch_size_pixels": 1e400}, {"spacing_um_px": -1}]
)
def test_configs_that_ask_for_too_much(changes: dict[str, Any], tmp_path: Path) -> None:
    config = {
        "class_names": ["background", "tissue", "portal"],
        "license": "x",
        "patch_size_pixels": 256,
        "spacing_um_px": 1.0,
    } | changes
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidBundle):
        read_wsinfer_facts(tmp_path / "config.json", "x")


def test_a_config_cannot_ask_for_code_or_a_giant() -> None:
    pytest.importorskip("torch")
    from glisson.model.networks.segformer import select_sizes

    asked = {"depths": [2, 2], "_attn_implementation": "someone/kernel", "auto_map": {"a": "b"}}
    assert select_sizes(asked) == {"depths": [2, 2]}
    with pytest.raises(InvalidBundle):
        select_sizes({"hidden_sizes": [10**9]})


def test_whoever_reads_a_pipe_waits_for_ever(tmp_path: Path) -> None:
    """A bundle's files are files."""
    bundle = write_bundle(tmp_path / "x", BUNDLE)
    (bundle / "model.onnx").unlink()
    os.mkfifo(bundle / "model.onnx")
    with pytest.raises(InvalidBundle, match="missing"):
        load_bundle(bundle)
