"""A small slide and a model that reads its colours."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from glisson.frames import PixelSize, Size
from glisson_phantom.writing import write_pyramid
from tests.scenes import biopsy_labels, coloured


def scene_pixels() -> np.ndarray:
    """The scene of `tests/scenes.py` at 0.5 µm/px, with texture for the finder."""
    rgb = coloured(biopsy_labels().repeat(2, 0).repeat(2, 1)).astype(int)
    rng = np.random.default_rng(0)
    texture = rng.normal(0, 9, rgb.shape[:2])[..., None] * (rgb[..., 1:2] < 240)
    return np.clip(rgb + texture, 0, 255).astype(np.uint8)


def write_scene(path: Path) -> Path:
    """The scene as a slide."""
    write_pyramid(path, scene_pixels(), Size(4800, 1400), PixelSize(0.5, 0.5), quality=95)
    return path


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    return write_scene(folder / "case 1.svs")


@pytest.fixture(autouse=True)
def colour_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segment here, with a model that is right about the scene and the shipped bundle's windows."""
    from glisson.run.executors import choice, in_process
    from tests.scenes import ColourModel

    monkeypatch.setattr(choice, "SEVERAL", "here")
    monkeypatch.setattr(in_process, "OpeningRuntime", lambda *_, **__: ColourModel())


def slides_in_table(out: Path) -> list[str]:
    """What the rows of a run's `biopsies.csv` are of, in order."""
    with (out / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        return [row["slide"] for row in csv.DictReader(file)]


def write_series(folder: Path) -> Path:
    """Three tiny slides, one of them broken."""
    first = write_scene(folder / "one.svs")
    shutil.copyfile(first, folder / "two.svs")
    (folder / "broken.svs").write_bytes(first.read_bytes()[:3000])
    return folder
