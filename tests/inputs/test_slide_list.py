"""What a run is asked for: files, folders, patterns, and a table."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import SettingsError
from glisson.frames import PixelSize, Size
from glisson.inputs import SlideEntry, list_slides
from glisson_phantom.writing import write_pyramid
from tests.stores import memory

__all__ = ["memory"]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    for name in ("b.svs", "a.ndpi", "notes.txt", ".hidden.svs", "x.truth.ome.tif", "deep/c.svs"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "dicom").mkdir()
    (folder / "dicom" / "level-0.dcm").touch()
    return folder


def names(asked: tuple[SlideEntry, ...]) -> list[str]:
    return [each.path.name for each in asked]


def test_a_folder_is_its_own_slides(scans: Path) -> None:
    assert names(list_slides([scans])) == ["a.ndpi", "b.svs", "dicom"]


def test_patterns_reach_deeper(scans: Path) -> None:
    assert names(list_slides([scans / "**" / "*.svs"])) == ["b.svs", "c.svs"]


def test_each_slide_once_in_the_order_given(scans: Path) -> None:
    assert names(list_slides([scans / "b.svs", scans])) == ["b.svs", "a.ndpi", "dicom"]


def test_a_folder_without_slides_is_an_error(scans: Path) -> None:
    (scans / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no slide"):
        list_slides([scans / "empty"])


def dicom_files(folder: Path, shade: int) -> list[Path]:
    """The files of a DICOM slide, two levels."""
    pytest.importorskip("pydicom")
    pixels = np.full((600, 700, 3), shade, np.uint8)
    place = folder / f"dicom {shade}"
    write_pyramid(place, pixels, Size(700, 600), PixelSize(0.5, 0.5), "dicom", identity=str(shade))
    return sorted(place.iterdir())


@pytest.fixture
def mixed(scans: Path, tmp_path: Path) -> Path:
    """Two DICOM slides of several files among slides of other kinds, and DICOM that is none."""
    for shade in (200, 240):
        for path in dicom_files(tmp_path, shade):
            shutil.copyfile(path, scans / path.name)
    (scans / "report.dcm").write_bytes(b"no slide")
    return scans


MIXED = ["200-level-0.dcm", "240-level-0.dcm", "a.ndpi", "b.svs", "dicom"]


def test_a_dicom_file_among_other_slides_hides_none_of_them(mixed: Path) -> None:
    assert names(list_slides([mixed])) == MIXED


def test_nor_does_it_on_a_store(mixed: Path, memory: Any) -> None:
    for path in (path for path in mixed.rglob("*") if path.is_file()):
        memory.pipe(f"/scans/{path.relative_to(mixed).as_posix()}", path.read_bytes() or b"1")
    assert names(list_slides(["memory://scans"])) == MIXED


def test_a_folder_with_such_a_mixture_is_no_dicom_slide(mixed: Path) -> None:
    (mixed.parent / "other.svs").touch()
    assert names(list_slides([mixed.parent])) == ["dicom 200", "dicom 240", "other.svs"]


def test_a_folder_of_dicom_files_alone_is_one_slide(tmp_path: Path) -> None:
    folder = dicom_files(tmp_path, 200)[0].parent
    (folder / "x.truth.ome.tif").touch()
    assert [each.path for each in list_slides([folder])] == [folder]


def table(folder: Path, text: str) -> Path:
    path = folder / "slides.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_alone_is_the_run(scans: Path) -> None:
    path = table(scans, "slide,mpp,sections,patient\nb.svs,0.25,,P1\ndeep/c.svs,,3,P2\n")
    first, second = list_slides([], path)
    assert (first.path, first.mpp, first.sections, first.patient) == (
        scans / "b.svs", 0.25, None, "P1",
    )  # fmt: skip
    assert (second.mpp, second.sections, second.patient) == (None, 3, "P2")


def test_a_table_beside_slides_says_what_is_special(scans: Path) -> None:
    path = table(scans, "slide,institution\nb.svs,Monza\n")
    asked = list_slides([scans], path)
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
        list_slides([scans], table(scans, text))


@pytest.mark.parametrize("again", ["b.svs", "./deep/../b.svs", "link.svs"])
@pytest.mark.parametrize("given", [True, False])
def test_a_slide_that_is_listed_twice_is_refused(scans: Path, again: str, given: bool) -> None:
    (scans / "link.svs").symlink_to(scans / "b.svs")
    path = table(scans, f"slide,mpp\nb.svs,0.25\na.ndpi,\n{again},0.5\n")
    with pytest.raises(SettingsError, match=r"slides\.csv, lines 2 and 4: the same slide twice"):
        list_slides([scans] if given else [], path)


def test_own_results_are_no_slides(tmp_path: Path) -> None:
    """A pattern, or a shell that expands it, reaches into the results of an earlier run."""
    slide = tmp_path / "a.tif"
    result = tmp_path / "results" / "a"
    (result / "thumbnails").mkdir(parents=True)
    own = [result / name for name in ("classes.ome.tif", "overview.png", "thumbnails/PT-001.jpg")]
    for path in (slide, *own, result / "manifest.json", result / "biopsy.json"):
        path.write_bytes(b"x")
    for given in ([f"{tmp_path}/**/*.tif"], [slide, *own]):
        assert [each.path for each in list_slides(given)] == [slide]
    with pytest.raises(SettingsError, match="own results"):
        list_slides([own[0]])
