"""A slide is told by all of its files, from first to last byte."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from glisson.errors import DamagedSlide
from glisson.frames import PixelSize, Size
from glisson.results.identity import read_identity, read_stamp
from glisson.run.observer import SilentObserver
from glisson.run.segment import segment
from glisson_phantom.writing import write_pyramid

NOISE = np.random.default_rng(1).integers(0, 255, (700, 1500, 3)).astype(np.uint8)


def blank(path: Path, start: float, end: float) -> None:
    """Zero a part of a file, which keeps its size."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(int(size * start))
        file.write(bytes(int(size * end) - int(size * start)))


@pytest.fixture
def mirax(fixtures_dir: Path, tmp_path: Path) -> Path:
    name = "Mirax2-Fluorescence-2"
    shutil.copy(fixtures_dir / "slides" / f"{name}.mrxs", tmp_path)
    shutil.copytree(fixtures_dir / "slides" / name, tmp_path / name)
    return tmp_path / f"{name}.mrxs"


def test_mirax_by_its_data(mirax: Path) -> None:
    before, stamp = read_identity(mirax), read_stamp(mirax)
    assert before.files == len(list(mirax.with_suffix("").iterdir())) + 1
    assert read_identity(mirax) == before
    blank(mirax.with_suffix("") / "Data0007.dat", 0, 1)
    assert read_identity(mirax) != before
    assert read_stamp(mirax) != stamp


def test_dicom_by_all_of_its_series(tmp_path: Path) -> None:
    folder = tmp_path / "slide"
    write_pyramid(folder, NOISE, Size(1500, 700), PixelSize(1, 1), "dicom")
    before = read_identity(folder)
    assert before.files == len(list(folder.glob("*.dcm")))
    (tmp_path / "other").mkdir()
    last = sorted(folder.glob("*.dcm"))[-1]
    blank(last, 0.5, 0.9)
    assert read_identity(folder) != before


def test_one_file_by_its_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    path.write_bytes(np.random.default_rng(2).bytes(20 << 20))
    before = read_identity(path)
    blank(path, 0.45, 0.55)
    after = read_identity(path)
    assert (after.file, after.bytes) == (before.file, before.bytes)
    assert after.sha256_of_samples != before.sha256_of_samples


def test_pseudonym_hides_the_name(tmp_path: Path) -> None:
    for name in ("a.svs", "b.svs"):
        (tmp_path / name).write_bytes(b"slide")
    assert read_identity(tmp_path / "a.svs", "P1") == read_identity(tmp_path / "b.svs", "P1")


class ReplacesIt(SilentObserver):
    """Writes another slide over the one that is being read."""

    def __init__(self, slide: Path, other: Path) -> None:
        self.slide, self.other = slide, other

    def stage_started(self, slide: str, stage: str) -> None:
        if stage == "outline":
            shutil.copyfile(self.other, self.slide)


def test_slide_that_is_replaced_while_it_is_read_fails(scene: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.svs"
    other.write_bytes(scene.read_bytes()[:-1])
    out = tmp_path / "out"
    with pytest.raises(DamagedSlide, match=r"case 1\.svs was replaced or written to"):
        segment(scene, out, observer=ReplacesIt(scene, other))
    assert not (out / "case 1" / "biopsy.json").exists()


def test_damaged_slide_that_is_copied_again_is_redone(scene: Path, tmp_path: Path) -> None:
    blank(scene, 0.5, 0.52)
    out = tmp_path / "out"
    first = segment(scene, out).slides[0]
    assert first.record is not None
    assert first.record.slide.damaged_l0
    assert segment(scene, out).slides[0].outcome == "kept"
    later = time.time() + 60
    os.utime(scene, (later, later))
    again = segment(scene, out).slides[0]
    assert (again.outcome, again.because) == ("done", "the damaged slide was copied again")
