"""Studies as people have them: tables from Excel, folders with other files in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glisson.dataset import Split, read_study
from glisson.errors import AnnotationError, SettingsError
from tests.dataset.scene import write_slide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "ab":
        write_slide(tmp_path, name)
    return tmp_path


def test_a_table_that_excel_wrote_in_its_own_letters(folder: Path) -> None:
    text = "slide,institution\na.png,Zürich\n"
    (folder / "cases.csv").write_text(text, encoding="cp1252")
    with pytest.raises(SettingsError, match=r"cases\.csv is not UTF-8.*CSV UTF-8"):
        read_study(folder)
    (folder / "cases.csv").write_text(text, encoding="utf-8-sig")
    assert read_study(folder)[0].institution == "Zürich"


def test_roles_are_read_as_people_write_them(folder: Path) -> None:
    (folder / "cases.csv").write_text("slide,role\na.png, Train \nb.png,VALIDATION\n")
    assert [slide.role for slide in read_study(folder)] == [Split.TRAIN, Split.VALIDATION]


@pytest.mark.parametrize("roles", [("clinical", "Training"), ("train", "trian"), ("clinical",) * 2])
def test_roles_that_would_lose_slides_are_errors(folder: Path, roles: tuple[str, str]) -> None:
    (folder / "cases.csv").write_text("slide,role\na.png,{}\nb.png,{}\n".format(*roles))
    with pytest.raises(SettingsError, match=rf"role {roles[1].casefold()}.*validation"):
        read_study(folder)


def test_clinical_slides_are_left_out(folder: Path) -> None:
    (folder / "cases.csv").write_text("slide,role\na.png,clinical\nb.png,\n")
    assert [slide.name for slide in read_study(folder)] == ["b"]


@pytest.mark.parametrize("name", ["{name}.geojson", "{}.geojson", "{slide.geojson", "{slide.x}"])
def test_names_with_other_fields_say_which_there_are(folder: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"\{slide\} \(a\) and \{file\} \(a\.png\)"):
        read_study(folder, [name])


def test_other_files_in_a_folder_of_slides_are_no_alarm(folder: Path) -> None:
    (folder / "project.json").write_text('{"version": "0.5", "images": []}')
    (folder / "tiles.json").write_text('{"tiles": {"mpp": 1}}')
    (folder / "z.truth.json").write_text('{"biopsy": {"tract_count_total": 3}}')
    (folder / "a.truth.geojson").write_text("[]")
    (folder / "a.reader-2.geojson").write_text("[]")
    (folder / "._c.geojson").write_bytes(b"\0\5\26\7")
    assert [slide.name for slide in read_study(folder)] == ["a", "b"]


@pytest.mark.parametrize("name", ["c.geojson", "c.geojson.gz", "c.json"])
def test_annotations_of_a_slide_that_is_not_there(folder: Path, name: str) -> None:
    (folder / name).write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    with pytest.raises(AnnotationError, match=rf"without a slide: {name}\."):
        read_study(folder)
