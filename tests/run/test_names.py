"""Whose results lie where: no slide takes another's folder, and each keeps its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from glisson.errors import SettingsError
from glisson.results import name_folders, remote
from glisson.run.remeasure import measure
from glisson.run.segment import segment
from glisson.storage import Place, Url
from tests.run.conftest import slides_in_table, write_scene
from tests.stores import memory

__all__ = ["memory"]


def record(file: str, name: str | None = None) -> str:
    """As much of a `biopsy.json` as says which slide it is of."""
    return json.dumps({"slide": {"file": file, "name": name or Path(file).stem}})


def put_results(out: Path, folder: str, file: str, name: str | None = None) -> None:
    (out / folder).mkdir(parents=True)
    (out / folder / "biopsy.json").write_text(record(file, name), encoding="utf-8")


def file_of(out: Path, folder: str) -> str:
    return str(json.loads((out / folder / "biopsy.json").read_text("utf-8"))["slide"]["file"])


def test_a_later_slide_of_the_same_stem_leaves_the_results_that_are_there(
    scene: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out", scene.with_suffix(".tif")
    shutil.copyfile(scene, other)
    segment(scene, out)
    before = (out / "case 1" / "manifest.json").read_bytes()
    assert [each.name for each in segment(other, out).slides] == ["case 1.tif"]
    assert (out / "case 1" / "manifest.json").read_bytes() == before
    assert (file_of(out, "case 1"), file_of(out, "case 1.tif")) == ("case 1.svs", "case 1.tif")
    index = json.loads((out / "qupath" / "glisson.json").read_text("utf-8"))
    assert {each["image"]: each["outlines"] for each in index["images"]} == {
        "case 1.svs": "../case 1/tracts.geojson", "case 1.tif": "../case 1.tif/tracts.geojson",
    }  # fmt: skip
    again = segment([other, scene], out).slides
    assert [(each.name, each.outcome) for each in again] == [
        ("case 1.tif", "kept"), ("case 1", "kept"),
    ]  # fmt: skip
    assert len(slides_in_table(out)) == 2


@pytest.mark.parametrize("folder", ["case 1", "case 1.tif"])
def test_outlines_corrected_in_place_are_of_the_folder_they_lie_in(
    scene: Path, tmp_path: Path, folder: str
) -> None:
    out = tmp_path / "out"
    segment(scene, out)
    segment(shutil.copyfile(scene, scene.with_suffix(".tif")), out)
    (measured,) = measure(out, out / folder / "tracts.geojson").slides
    assert measured.name == folder


def test_so_are_those_that_the_script_exports_by_the_folders_name(
    scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    segment(scene, out)
    segment(shutil.copyfile(scene, scene.with_suffix(".tif")), out)
    outlines = json.loads((out / "case 1" / "tracts.geojson").read_text("utf-8"))
    outlines["glisson"]["image"] = "case 1"
    (tmp_path / "mine.geojson").write_text(json.dumps(outlines), encoding="utf-8")
    (measured,) = measure(out, tmp_path / "mine.geojson").slides
    assert measured.name == "case 1"


@pytest.mark.parametrize(
    ("there", "given", "names"),
    [
        ({}, ["x.svs", "y.svs"], ["x", "y"]),
        ({}, ["x.svs", "x.ndpi"], ["x.svs", "x.ndpi"]),
        ({"x": "x.svs"}, ["x.svs"], ["x"]),
        ({"x": "x.svs"}, ["x.svs", "x.ndpi"], ["x", "x.ndpi"]),
        ({"x": "x.tif"}, ["x.svs", "x.ndpi"], ["x.svs", "x.ndpi"]),
        ({"x": "x.tif"}, ["x.svs"], ["x.svs"]),
        ({"x.svs": "x.svs", "x.ndpi": "x.ndpi"}, ["x.ndpi"], ["x.ndpi"]),
        ({"x.svs": "x.svs.tif"}, ["x.svs.tif", "x.svs"], ["x.svs", "x"]),
        ({"é": "e\u0301.svs"}, ["é.svs"], ["é"]),
        ({"x.edited": "x.svs"}, ["x.edited.svs"], ["x.edited.svs"]),
    ],
)
def test_names_go_on_from_what_is_there(
    tmp_path: Path, there: dict[str, str], given: list[str], names: list[str]
) -> None:
    for folder, file in there.items():
        put_results(tmp_path, folder, file)
    assert name_folders([Path("scans") / each for each in given], tmp_path) == names


def test_what_says_nothing_of_a_slide_is_nobodys(tmp_path: Path) -> None:
    for name, text in {"a": "{", "b": "[]", "c": '{"slide": {"file": 3}}', "d": "{}"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "biopsy.json").write_text(text, encoding="utf-8")
    assert name_folders([Path(f"{each}.svs") for each in "abcd"], tmp_path) == list("abcd")


def test_results_that_would_take_the_place_of_others_are_refused(tmp_path: Path) -> None:
    put_results(tmp_path, "x", "x.tif")
    put_results(tmp_path, "x.svs", "x.svs.tif")
    with pytest.raises(SettingsError, match=r"results of x\.svs .* those of x\.svs\.tif"):
        name_folders([Path("x.svs")], tmp_path)


UID = "1.2.840.113619.3.1.4"


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    """Folders of two DICOM slides, called by their series as archives do."""
    folders = [tmp_path / "scans" / f"{UID}.{number}" for number in (100, 200)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "1.dcm").touch()
    return folders


def test_a_dicom_folder_is_called_by_its_whole_name(series: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    for folder in series:
        assert name_folders([folder], out) == [folder.name]
        put_results(out, folder.name, "1.dcm", folder.name)
    assert name_folders(series, out) == [each.name for each in series]
    shutil.rmtree(series[0])
    assert name_folders(series, out) == [each.name for each in series]


def test_results_of_a_dicom_folder_under_a_shorter_name_stay(
    series: list[Path], tmp_path: Path
) -> None:
    put_results(tmp_path / "out", UID, "1.dcm", series[1].name)
    assert name_folders(series, tmp_path / "out") == [series[0].name, UID]


def test_dicom_folders_are_told_apart_in_earnest(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    from tests.run.secrets import write_dicom

    out = tmp_path / "out"
    for number in (100, 200):
        (tmp_path / f"{UID}.{number}").mkdir()
        folder = write_dicom(tmp_path / f"{UID}.{number}", "secret")
        assert [each.outcome for each in segment(folder, out).slides] == ["done"]
    folders = {path.parent.name for path in out.glob("*/biopsy.json")}
    assert folders == {f"{UID}.100", f"{UID}.200"}
    assert segment(tmp_path / f"{UID}.100", out).slides[0].outcome == "kept"


def test_every_part_gives_the_same_names_whatever_is_done_by_then(tmp_path: Path) -> None:
    put_results(tmp_path, "y", "y.svs")
    put_results(tmp_path, "z", "z.czi")
    given = ["x.svs", "x.ndpi", "y.svs", "y.tif", "z.tif", "v.svs"]
    paths = [Path("scans") / each for each in given]
    names = name_folders(paths, tmp_path)
    assert names == ["x.svs", "x.ndpi", "y", "y.tif", "z.tif", "v"]
    for name, file in zip(names, given, strict=True):
        if name != "y":
            put_results(tmp_path, name, file)
        assert name_folders(paths, tmp_path) == names


def test_results_of_other_slides_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = remote.read_json

    def noted(path: Path) -> dict[str, Any]:
        read.append(path.parent.name)
        return real(path)

    for name in ("a", "b", "c"):
        put_results(tmp_path, name, f"{name}.svs")
    monkeypatch.setattr(remote, "read_json", noted)
    assert name_folders([Path("b.svs")], tmp_path) == ["b"]
    assert set(read) == {"b", "b.svs"}


@pytest.mark.parametrize("given", [Path("scans/x.svs"), Url("memory://scans/x.svs")])
def test_results_on_a_store_are_known_as_well(given: Place, memory: Any) -> None:
    out = Url("memory://results")
    assert name_folders([given], out) == ["x"]
    memory.pipe("/results/x/biopsy.json", record("x.tif").encode())
    memory.pipe("/results/y/other.txt", b"no record")
    assert name_folders([given, Path("y.svs")], out) == ["x.svs", "y"]
    memory.pipe("/results/x.svs/biopsy.json", record("x.svs").encode())
    assert name_folders([given], out) == ["x.svs"]


def test_a_dicom_folder_on_a_store_is_called_by_its_whole_name(memory: Any) -> None:
    out, slide = Url("memory://results"), Url(f"memory://scans/{UID}.100")
    assert name_folders([slide], out) == [f"{UID}.100"]
    memory.pipe(f"/results/{UID}.100/biopsy.json", record("1.dcm", f"{UID}.100").encode())
    assert name_folders([slide], out) == [f"{UID}.100"]
    memory.pipe("/results/case/biopsy.json", record("1.dcm", "case").encode())
    assert name_folders([Url("memory://scans/case.dcm")], out) == ["case"]


def test_a_run_with_results_on_a_store_takes_no_ones_place(
    scene: Path, memory: Any, tmp_path: Path
) -> None:
    out = "memory://results"
    segment(scene, out)
    segment(write_scene(scene.with_suffix(".tif")), out)
    assert [each.name for each in segment(scene, out).slides] == ["case 1"]
    for folder, file in {"case 1": "case 1.svs", "case 1.tif": "case 1.tif"}.items():
        stored = json.loads(memory.cat_file(f"/results/{folder}/biopsy.json"))
        assert stored["slide"]["file"] == file


def test_folders_can_be_copied_to_windows() -> None:
    names = ("case 1 .tif", "x..svs", "con.tif", "LPT1.ome.tif", "console.svs")
    found = name_folders([Path(name) for name in names])
    assert found == ["case 1", "x", "con_", "LPT1_.ome", "console"]
    # two slides whose names differ in the blank alone keep their whole names
    pair = name_folders([Path("case 1 .tif"), Path("case 1.tif"), Path("aux.tif"), Path("aux.svs")])
    assert pair == ["case 1 .tif", "case 1.tif", "aux_.tif", "aux_.svs"]
