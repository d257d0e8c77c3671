"""What a run is asked for: files, folders, patterns, and a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from glisson.errors import SettingsError
from glisson.run import AskedSlide, asked_slides


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    for name in ("b.svs", "a.ndpi", "notes.txt", ".hidden.svs", "x.truth.ome.tif", "deep/c.svs"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "dicom").mkdir()
    (folder / "dicom" / "level-0.dcm").touch()
    return folder


def names(asked: tuple[AskedSlide, ...]) -> list[str]:
    return [each.path.name for each in asked]


def test_a_folder_is_its_own_slides(scans: Path) -> None:
    assert names(asked_slides([scans])) == ["a.ndpi", "b.svs", "dicom"]


def test_patterns_reach_deeper(scans: Path) -> None:
    assert names(asked_slides([scans / "**" / "*.svs"])) == ["b.svs", "c.svs"]


def test_each_slide_once_in_the_order_given(scans: Path) -> None:
    assert names(asked_slides([scans / "b.svs", scans])) == ["b.svs", "a.ndpi", "dicom"]


def test_a_folder_without_slides_is_an_error(scans: Path) -> None:
    (scans / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no slide"):
        asked_slides([scans / "empty"])


def table(folder: Path, text: str) -> Path:
    path = folder / "slides.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_alone_is_the_run(scans: Path) -> None:
    path = table(scans, "slide,mpp,sections,patient\nb.svs,0.25,,P1\ndeep/c.svs,,3,P2\n")
    first, second = asked_slides([], path)
    assert (first.path, first.mpp, first.sections, first.patient) == (
        scans / "b.svs", 0.25, None, "P1",
    )  # fmt: skip
    assert (second.mpp, second.sections, second.patient) == (None, 3, "P2")


def test_a_table_beside_slides_says_what_is_special(scans: Path) -> None:
    path = table(scans, "slide,institution\nb.svs,Monza\n")
    asked = asked_slides([scans], path)
    assert [(each.path.name, each.institution) for each in asked] == [
        ("a.ndpi", None), ("b.svs", "Monza"), ("dicom", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slide\nz.svs\n", "z.svs"),
        ("slide,mpp\nb.svs,wide\n", "line 2, column mpp"),
        ("slide,mpp\nb.svs,-1\n", "line 2, column mpp"),
        ("slide,sections\nb.svs,0\n", "column sections"),
        ("slide,colour\nb.svs,red\n", "column colour"),
        ("file\nb.svs\n", "column slide"),
        ("slide\n", "lists no slide"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(scans: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        asked_slides([scans], table(scans, text))
