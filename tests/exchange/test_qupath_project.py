"""A QuPath project written without QuPath: its rules, and what a second run leaves alone."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glisson.artefacts import Kind
from glisson.classes import CANDIDATE_COLOUR
from glisson.errors import OutputError
from glisson.exchange import find_project_errors, write_qupath_project
from glisson.exchange.qupath.images import decode_file_uri, find_place, is_gone, read_file_name
from glisson.exchange.qupath.project import SCRIPTS
from glisson.frames import PixelSize, Size
from glisson.slides import SlideInfo

PIXEL = PixelSize(0.5, 0.5)
NAMES = [
    "a.svs",
    "b (2).svs",
    "Lebär & Gallengänge #3, 50%.ndpi",
    "肝臓 +1=2;'x'.mrxs",
    "e\u0301.tiff",
]


def slide_info(path: Path, reader: str = "openslide:aperio", name: str | None = None) -> SlideInfo:
    return SlideInfo(name or path.stem, path, reader, Size(100, 100), PIXEL, "file", None, (1.0,))


def slide_file(path: Path, data: bytes = b"pixels") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def written(folder: Path, *slides: Path) -> dict[str, Any]:
    """The project after a run over slides, whose results lie beside it."""
    results = folder.parent
    pairs = [(slide_info(path), results / path.stem / "tracts.geojson") for path in slides]
    write_qupath_project(folder, pairs)
    return project_in(folder)


def project_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "project.qpproj").read_text("utf-8"))


def index_in(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / "glisson.json").read_text("utf-8"))
    return {slide["image"]: slide for slide in content["images"]}


def edit_project(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    """As QuPath saves: the whole file anew."""
    project = project_in(folder)
    edit(project)
    (folder / "project.qpproj").write_text(json.dumps(project), encoding="utf-8")


def uri_of(image: dict[str, Any]) -> str:
    return str(image["serverBuilder"]["uri"])


def all_files(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "Ergebnisse 1" / "qupath"


# What QuPath needs


def test_a_project_keeps_every_rule(tmp_path: Path, folder: Path) -> None:
    slides = [slide_file(tmp_path / "slides ü" / name) for name in NAMES]
    project = written(folder, *slides)
    assert find_project_errors(folder) == []
    assert [image["imageName"] for image in project["images"]] == NAMES
    assert [image["entryID"] for image in project["images"]] == [1, 2, 3, 4, 5]
    assert project["lastID"] == 5
    assert not (folder / "data").exists()  # only QuPath writes there
    for image, slide in zip(project["images"], slides, strict=True):
        assert set(image["serverBuilder"]) == {"builderType", "uri", "args", "providerClassName"}
        assert find_place(uri_of(image)) == find_place(slide.as_uri())
        assert uri_of(image).isascii()


def test_an_empty_project_keeps_them_too(folder: Path) -> None:
    write_qupath_project(folder, [])
    assert find_project_errors(folder) == []


def test_only_slides_that_openslide_reads_are_pinned_to_it(tmp_path: Path, folder: Path) -> None:
    path = slide_file(tmp_path / "a.ome.tif")
    write_qupath_project(folder, [(slide_info(path, "tifffile:ome"), tmp_path / "a" / "t.geojson")])
    assert "providerClassName" not in project_in(folder)["images"][0]["serverBuilder"]


def test_a_dicom_folder_is_called_by_its_own_name(tmp_path: Path, folder: Path) -> None:
    pairs = []
    for name in ("case 1", "case 2"):
        path = slide_file(tmp_path / name / "1.dcm")
        pairs.append(
            (slide_info(path, "openslide:dicom", name), tmp_path / "r" / name / "t.geojson")
        )
    write_qupath_project(folder, pairs)
    assert [image["imageName"] for image in project_in(folder)["images"]] == ["case 1", "case 2"]
    assert {slide["results"] for slide in index_in(folder).values()} == {"case 1", "case 2"}
    assert find_project_errors(folder) == []


def test_classes_have_the_colours_of_outlines_and_artefacts(folder: Path) -> None:
    write_qupath_project(folder, [])
    classes = json.loads((folder / "classifiers" / "classes.json").read_text("utf-8"))
    colours = {each["name"]: each["color"] for each in classes["pathClasses"]}
    assert colours["Portal tract"] == -24576
    assert {"Tissue", "Lobule", "Region*", "Ignore*"} < set(colours)
    assert colours["Portal tract?"] & 0xFFFFFF == int.from_bytes(bytes(CANDIDATE_COLOUR))
    for kind in Kind:
        packed = colours[kind.qupath_name] & 0xFFFFFFFF
        assert packed >> 24 == 255
        assert ((packed >> 16) & 255, (packed >> 8) & 255, packed & 255) == kind.colour


def test_outlines_are_found_from_the_project_wherever_both_move(
    tmp_path: Path, folder: Path
) -> None:
    written(folder, slide_file(tmp_path / "b (2).svs"))
    slide = index_in(folder)["b (2).svs"]
    assert slide["outlines"] == "../b (2)/tracts.geojson"
    assert slide["artefacts"] == "../b (2)/artefacts.geojson"
    assert slide["results"] == "b (2)"


def _change(path: list[Any], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(project: dict[str, Any]) -> None:
        part: Any = project
        for key in path[:-1]:
            part = part[key]
        if value is None:
            del part[path[-1]]
        else:
            part[path[-1]] = value

    return change


IMAGE = ["images", 0]
BUILDER = [*IMAGE, "serverBuilder"]


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (["createTimestamp"], None, "createTimestamp"),
        (["modifyTimestamp"], "today", "modifyTimestamp"),
        (["version"], "v0.2.0-m2", "no longer reads"),
        (["images"], None, "no list"),
        (["uri"], "file:///a b/project.qpproj", "Java"),
        (["lastID"], 0, "behind"),
        (["lastID"], "2", "no whole number"),
        ([*IMAGE, "entryID"], None, "entryID"),
        ([*IMAGE, "entryID"], 2, "twice"),
        ([*IMAGE, "imageName"], None, "imageName"),
        ([*IMAGE, "randomizedName"], 7, "randomizedName"),
        ([*IMAGE, "metadata"], None, "metadata"),
        ([*IMAGE, "metadata"], {"stain": 1}, "metadata"),
        ([*IMAGE, "serverBuilder"], None, "builderType"),
        ([*BUILDER, "builderType"], None, "builderType"),
        ([*BUILDER, "uri"], None, "Java"),
        ([*BUILDER, "uri"], "/slides/a.svs", "Java"),
        ([*BUILDER, "uri"], "file:///slides/50%.svs", "Java"),
        ([*BUILDER, "args"], None, "args"),
        ([*BUILDER, "args"], "--no-crop", "args"),
        ([*BUILDER, "providerClassName"], 3, "providerClassName"),
        ([*BUILDER, "metadata"], {"pixelCalibration": {}}, "not complete"),
    ],
)
def test_the_checker_sees_what_qupath_cannot_open(
    tmp_path: Path, folder: Path, path: list[Any], value: Any, complaint: str
) -> None:
    written(folder, slide_file(tmp_path / "a.svs"), slide_file(tmp_path / "b.svs"))
    edit_project(folder, _change(path, value))
    found = find_project_errors(folder)
    assert any(complaint in text for text in found), found


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ({}, "no list"),
        ({"pathClasses": [{"name": "", "color": -1}]}, "called"),
        ({"pathClasses": [{"name": "a", "color": "#ff0000"}]}, "packed int"),
        ({"pathClasses": [{"name": "a", "color": 0xFFFFA000}]}, "packed int"),
        ({"pathClasses": [{"name": "a", "color": 0xFFA000}]}, "seen through"),
        ({"pathClasses": [{"name": "a", "color": -1}, {"name": "a", "color": -2}]}, "twice"),
    ],
)
def test_the_checker_sees_broken_classes(folder: Path, classes: Any, complaint: str) -> None:
    write_qupath_project(folder, [])
    (folder / "classifiers" / "classes.json").write_text(json.dumps(classes), encoding="utf-8")
    found = find_project_errors(folder)
    assert any(complaint in text for text in found), found


def test_the_checker_sees_what_is_no_project(folder: Path) -> None:
    folder.mkdir(parents=True)
    assert find_project_errors(folder) == ["project.qpproj is no JSON object in UTF-8"]


# What a second run leaves alone


def test_the_same_run_again_changes_nothing(tmp_path: Path, folder: Path) -> None:
    slides = [slide_file(tmp_path / name) for name in NAMES]
    written(folder, *slides)
    before = all_files(folder)
    written(folder, *slides)
    assert all_files(folder) == before


def test_a_slide_costs_the_same_in_a_project_of_many(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.exchange.qupath import entries, project

    looked_up = 0

    def counted(uri: str) -> str:
        nonlocal looked_up
        looked_up += 1
        return find_place(uri)

    for module in (entries, project):
        monkeypatch.setattr(module, "find_place", counted)
    slides = [slide_file(tmp_path / f"{number}.svs") for number in range(60)]
    written(folder, *slides[:30])
    for_thirty, looked_up = looked_up, 0
    written(folder, *slides)  # thirty known, thirty new
    assert looked_up <= 3 * for_thirty


def test_nothing_of_the_pathologists_is_lost(tmp_path: Path, folder: Path) -> None:
    first, second = slide_file(tmp_path / "a.svs"), slide_file(tmp_path / "b.svs")
    written(folder, first)
    own = {
        "serverBuilder": {"builderType": "uri", "uri": "file:///other/own.svs", "args": []},
        "entryID": 2, "randomizedName": "x", "imageName": "own.svs", "metadata": {},
    }  # fmt: skip

    def edit(project: dict[str, Any]) -> None:
        project["images"][0] |= {
            "imageName": "Renamed", "description": "a note", "metadata": {"stage": "3"},
            "tags": ["done"],
        }  # fmt: skip
        project["images"].append(own)
        project |= {"lastID": 2, "version": "0.7.0", "unknown": {"kept": True}}

    edit_project(folder, edit)
    saved = slide_file(folder / "data" / "1" / "data.qpdata", b"java objects")
    edited = slide_file(folder / "edited" / "a.svs.geojson", b"{}")
    before = project_in(folder)
    again = written(folder, first, second)
    assert again["images"][:2] == before["images"]
    assert again["images"][2]["entryID"] == 3
    assert (again["version"], again["unknown"]) == ("0.7.0", {"kept": True})
    assert saved.read_bytes() == b"java objects"
    assert edited.read_bytes() == b"{}"
    kept = json.loads((folder / "project.qpproj.backup-1").read_text("utf-8"))
    assert kept == before


def test_an_image_that_was_removed_stays_away(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slides = [slide_file(tmp_path / name) for name in ("a.svs", "b.svs", "c.svs")]
    written(folder, *slides[:2])
    edit_project(folder, lambda project: project["images"].pop())
    with caplog.at_level(logging.WARNING):
        again = written(folder, *slides)
    assert [image["imageName"] for image in again["images"]] == ["a.svs", "c.svs"]
    assert "b.svs was removed" in caplog.text
    assert again["images"][1]["entryID"] == 3  # data/2 may still hold annotations of b.svs
    assert "b.svs" in index_in(folder)  # to be imported should it be added by hand


def test_an_image_that_an_open_qupath_never_saw_is_added_again(
    tmp_path: Path, folder: Path
) -> None:
    first, second = slide_file(tmp_path / "a.svs"), slide_file(tmp_path / "b.svs")
    written(folder, first)
    open_in_qupath = (folder / "project.qpproj").read_bytes()
    written(folder, first, second)
    (folder / "project.qpproj").write_bytes(open_in_qupath)  # QuPath saves its older list
    again = written(folder, first, second)
    assert [image["imageName"] for image in again["images"]] == ["a.svs", "b.svs"]
    assert again["images"][1]["entryID"] == 3


def test_so_is_one_whose_id_qupath_gave_to_another(tmp_path: Path, folder: Path) -> None:
    first, second = slide_file(tmp_path / "a.svs"), slide_file(tmp_path / "b.svs")
    written(folder, first)
    open_in_qupath = project_in(folder)
    written(folder, first, second)
    own = json.loads(json.dumps(open_in_qupath["images"][0])) | {"entryID": 2, "imageName": "own"}
    own["serverBuilder"]["uri"] = "file:///own.svs"
    stale = open_in_qupath | {"images": [*open_in_qupath["images"], own], "lastID": 2}
    (folder / "project.qpproj").write_text(json.dumps(stale), encoding="utf-8")
    again = written(folder, first, second)
    assert [image["entryID"] for image in again["images"]] == [1, 2, 3]
    assert again["images"][2]["imageName"] == "b.svs"


def test_a_data_folder_that_was_left_is_nobody_elses(tmp_path: Path, folder: Path) -> None:
    slide_file(folder / "data" / "7" / "data.qpdata")
    project = written(folder, slide_file(tmp_path / "a.svs"))
    assert project["images"][0]["entryID"] == 8


@pytest.mark.parametrize("spelling", ["python", "java", "wrapped", "link"])
def test_an_image_is_known_however_its_place_is_spelt(
    tmp_path: Path, folder: Path, spelling: str
) -> None:
    slide = slide_file(tmp_path / "Lebär (2).svs")
    written(folder, slide)

    def spell(project: dict[str, Any]) -> None:
        image = project["images"][0]
        if spelling == "java":
            image["serverBuilder"]["uri"] = f"file:{tmp_path.as_posix()}/Leba%CC%88r%20(2).svs"
        elif spelling == "wrapped":
            image["serverBuilder"] = {
                "builderType": "rotated",
                "rotation": "ROTATE_180",
                "builder": image["serverBuilder"],
            }
        elif spelling == "link":
            (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
            image["serverBuilder"]["uri"] = (tmp_path / "link" / slide.name).as_uri()

    edit_project(folder, spell)
    before = project_in(folder)
    assert written(folder, slide) == before


def test_a_slide_that_moved_keeps_its_image(tmp_path: Path, folder: Path) -> None:
    old = slide_file(tmp_path / "old" / "a.svs")
    written(folder, old)
    edit_project(folder, lambda project: project["images"][0].update(description="a note"))
    new = tmp_path / "new ö" / "a.svs"
    new.parent.mkdir()
    old.rename(new)
    (image,) = written(folder, new)["images"]
    assert (image["entryID"], image["description"]) == (1, "a note")
    assert find_place(uri_of(image)) == find_place(new.as_uri())
    assert (folder / "project.qpproj.backup-1").is_file()
    assert list(index_in(folder)) == ["a.svs"]


def test_an_image_that_a_person_relocated_stays_where_it_is(tmp_path: Path, folder: Path) -> None:
    """As by Update URIs in QuPath; a later run still gives the slide's first place."""
    slide = slide_file(tmp_path / "a.svs")
    written(folder, slide)
    place = (tmp_path / "copy" / "a.svs").as_uri()
    edit_project(folder, lambda project: project["images"][0]["serverBuilder"].update(uri=place))
    before = project_in(folder)
    assert written(folder, slide) == before


@pytest.mark.parametrize("case", ["other content", "still there"])
def test_another_slide_of_the_same_name_is_another_image(
    tmp_path: Path, folder: Path, case: str
) -> None:
    old = slide_file(tmp_path / "old" / "a.svs")
    written(folder, old)
    if case == "other content":
        old.unlink()
    new = slide_file(
        tmp_path / "new" / "a.svs", b"longer pixels" if case == "other content" else b"pixels"
    )
    images = written(folder, new)["images"]
    assert [find_place(uri_of(image)) for image in images] == [
        find_place(old.as_uri()), find_place(new.as_uri())
    ]  # fmt: skip


def test_a_slide_whose_results_folder_became_anothers_has_no_outlines(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slides = [slide_file(tmp_path / name, name.encode() * n) for n, name in enumerate(NAMES[:3], 1)]
    written(folder, *slides)
    before = project_in(folder)["images"]
    other = slide_file(tmp_path / "a.tif")  # its results lie in `a`, where those of a.svs were
    with caplog.at_level(logging.WARNING):
        images = written(folder, other)["images"]
    assert images[:3] == before  # with all that a pathologist did to them
    assert set(index_in(folder)) == {"a.tif", *NAMES[1:3]}
    assert "a.svs has no outlines in the QuPath project any more" in caplog.text
    write_qupath_project(folder, [(slide_info(slides[0]), tmp_path / "a.svs" / "tracts.geojson")])
    assert index_in(folder)["a.svs"]["entry_id"] == 1


def test_a_copy_of_a_slide_keeps_the_outlines_of_both(tmp_path: Path, folder: Path) -> None:
    slides = [slide_file(tmp_path / place / "a.svs") for place in ("old", "new")]
    for slide in slides:
        written(folder, slide)
    content = json.loads((folder / "glisson.json").read_text("utf-8"))
    assert {find_place(each["uri"]) for each in content["images"]} == {
        find_place(slide.as_uri()) for slide in slides
    }


@pytest.mark.skipif(os.name == "nt", reason="paths of this system are foreign there")
@pytest.mark.parametrize("uri", ["file:/D:/slides/a.svs", "file://server/slides/a.svs"])
def test_paths_of_another_system_are_not_called_gone(uri: str) -> None:
    assert not is_gone(uri)
    assert is_gone("file:///no/such/a.svs")


def test_a_file_is_named_alike_in_every_spelling() -> None:
    drive = ["file:/C:/a%20b/x.svs", "file:///C:/a%20b/x.svs", "file:///C:/a b/x.svs"]
    assert {decode_file_uri(uri) for uri in drive} == {"C:/a b/x.svs"}
    share = ["file://server/a/x.svs", "file:////server/a/x.svs"]
    assert {decode_file_uri(uri) for uri in share} == {"//server/a/x.svs"}
    assert decode_file_uri("https://omero/webclient/?show=image-1").startswith("https:")
    assert read_file_name("file:///a/e%CC%81.svs") == read_file_name("file:///b/%C3%A9.svs")


def test_classes_that_somebody_changed_stay_so(folder: Path) -> None:
    write_qupath_project(folder, [])
    path = folder / "classifiers" / "classes.json"
    own = {
        "pathClasses": [{"name": "Portal tract", "color": -65536}, {"name": "Mine", "color": -1}]
    }
    path.write_text(json.dumps(own), encoding="utf-8")
    write_qupath_project(folder, [])
    assert json.loads(path.read_text("utf-8")) == own
    assert not list(path.parent.glob("*.backup-*"))


def test_classes_that_are_new_in_glisson_are_offered_once(folder: Path) -> None:
    own = {"pathClasses": [{"name": "Mine", "color": -1}, {"name": "Tissue", "color": -65536}]}
    path = slide_file(folder / "classifiers" / "classes.json", json.dumps(own).encode())
    write_qupath_project(folder, [])
    classes = json.loads(path.read_text("utf-8"))["pathClasses"]
    assert classes[:2] == own["pathClasses"]
    assert len(classes) == len({each["name"] for each in classes}) > 2
    assert json.loads((path.parent / "classes.json.backup-1").read_text("utf-8")) == own
    assert find_project_errors(folder) == []


@pytest.mark.parametrize("text", ["{}", "not json", "[]"])
def test_classes_that_are_none_are_left_alone(folder: Path, text: str) -> None:
    path = slide_file(folder / "classifiers" / "classes.json", text.encode())
    write_qupath_project(folder, [])
    assert path.read_text("utf-8") == text


def test_a_script_that_somebody_changed_stays_beside_the_new_one(folder: Path) -> None:
    write_qupath_project(folder, [])
    path = folder / "scripts" / "import_glisson.groovy"
    shipped = path.read_text("utf-8")
    path.write_text(shipped + "// mine\n", encoding="utf-8")
    for _ in range(2):
        write_qupath_project(folder, [])
    assert path.read_text("utf-8") == shipped
    scripts = sorted(each.name for each in path.parent.iterdir())
    assert scripts == sorted([*SCRIPTS, "import_glisson.edited-1.groovy"])
    assert "// mine" in (path.parent / "import_glisson.edited-1.groovy").read_text("utf-8")


def test_a_script_of_an_older_glisson_gives_way(folder: Path) -> None:
    write_qupath_project(folder, [])
    path, index = folder / "scripts" / "export_glisson.groovy", folder / "glisson.json"
    path.write_bytes(b"// old\r\n// script\r\n")  # saved in QuPath on Windows, unchanged
    content = json.loads(index.read_text("utf-8"))
    content["scripts"][path.name] = hashlib.sha256(b"// old\n// script").hexdigest()
    index.write_text(json.dumps(content), encoding="utf-8")
    write_qupath_project(folder, [])
    assert sorted(each.name for each in path.parent.iterdir()) == sorted(SCRIPTS)
    assert "// old" not in path.read_text("utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"images": {"a.svs": "../a/tracts.geojson"}}'])
def test_an_index_that_cannot_be_read_is_made_anew(tmp_path: Path, folder: Path, text: str) -> None:
    slide = slide_file(tmp_path / "a.svs")
    written(folder, slide)
    before = project_in(folder)
    (folder / "glisson.json").write_text(text, encoding="utf-8")
    assert written(folder, slide) == before
    assert index_in(folder)["a.svs"]["entry_id"] == 1


@pytest.mark.parametrize("text", ["not json", "[]", '{"images": 3}', '{"images": [3]}'])
def test_a_broken_project_is_not_overwritten(folder: Path, text: str) -> None:
    path = slide_file(folder / "project.qpproj", text.encode())
    with pytest.raises(OutputError, match="Move it away"):
        write_qupath_project(folder, [])
    assert path.read_text("utf-8") == text


def test_a_write_that_fails_leaves_the_project_as_it_was(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, slide_file(tmp_path / "a.svs"))
    before = (folder / "project.qpproj").read_bytes()

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "project.qpproj":
            raise OSError(28, "No space left on device")
        return original(self, target)

    original = Path.replace
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        written(folder, slide_file(tmp_path / "b.svs"))
    assert (folder / "project.qpproj").read_bytes() == before
    assert not [path for path in folder.rglob(".*") if path.is_file()]


# The scripts, as far as they can be checked without QuPath


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_read_what_python_writes(tmp_path: Path, folder: Path, name: str) -> None:
    written(folder, slide_file(tmp_path / "a.svs"))
    text = (folder / "scripts" / name).read_text("utf-8")
    assert text.isascii()  # whatever encoding an editor takes it for
    for key in ("uri", "entry_id"):
        assert f"it.{key}" in text
        assert key in index_in(folder)["a.svs"]
    assert "glisson.json" in text
    for left, right in ("()", "[]", "{}"):
        assert text.count(left) == text.count(right)


def test_import_takes_away_only_what_glisson_made() -> None:
    text = _script("import_glisson.groovy")
    assert "removeObjects(old, true)" in text
    assert text.count("removeObjects") == 1
    assert "present.findAll { isOurs(it) }" in text
    for forbidden in ("clearAll", "clearAnnotations", "clearSelected", "removeObject("):
        assert forbidden not in text


def test_export_is_whole_or_not_there() -> None:
    text = _script("export_glisson.groovy")
    assert "Files.move(" in text
    assert text.index("exportObjectsToGeoJson(") < text.index("Files.move(")
    for key in ("image", "frame", "width", "height"):
        assert f'block.addProperty("{key}"' in text


def _script(name: str) -> str:
    path = Path(__file__).parents[2] / "src" / "glisson" / "exchange" / "qupath" / "scripts" / name
    return path.read_text("utf-8")


@pytest.mark.parametrize("by_parts", [False, True])
def test_all_images_that_were_lost_come_back(by_parts: bool, tmp_path: Path, folder: Path) -> None:
    """QuPath saved an older list, or a kill came between the index and the project."""
    slides = [slide_file(tmp_path / name) for name in ("a.svs", "b.svs", "c.svs", "d.svs")]
    written(folder, slides[0])
    older = (folder / "project.qpproj").read_bytes()
    written(folder, *slides)
    (folder / "project.qpproj").write_bytes(older)
    if by_parts:
        written(folder, *slides[:2])
    again = written(folder, *slides)
    names = [image["imageName"] for image in again["images"]]
    assert names == ["a.svs", "b.svs", "c.svs", "d.svs"]
    assert written(folder, *slides) == again


def test_a_project_behind_a_link_is_refused(tmp_path: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="symbolic link"):
        write_qupath_project(folder, [])
    assert not list((tmp_path / "elsewhere").iterdir())
