"""What a new model takes over from the weights it starts from, and what its card says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from glisson.model import Windows, add_model, find_model
from glisson.training.network import find_mpp
from glisson.training.provenance import describe_data, describe_start, inherit_settings
from tests.training.scene import ColourTiles


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A bundle with settings of its own."""
    folder = tmp_path / "start"
    shutil.copytree(find_model().folder, folder)
    spec = json.loads((folder / "model.json").read_text("utf-8"))
    own = {"name": "start", "version": "3", "mpp": 2.0, "min_tract_probability": 0.7,
           "windows": {"side_px": 320, "overlap_px": 48}}  # fmt: skip
    (folder / "model.json").write_text(json.dumps(spec | own), "utf-8")
    return folder


def test_settings_are_kept_at_the_same_pixel_size(start: Path) -> None:
    kept = inherit_settings(str(start), 2.0004)
    assert kept.min_tract_probability == 0.7
    assert kept.windows == Windows(side_px=320, overlap_px=48)
    assert "nobody has measured it for the new weights" in kept.note
    assert "320 px with 48 px of overlap" in kept.note


def test_weights_mean_an_added_model_before_a_folder_of_its_name(
    start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `--model` does."""
    monkeypatch.setenv("GLISSON_MODELS", str(start.parent / "store"))
    monkeypatch.chdir(start.parent)
    assert find_mpp("start") == 2.0
    add_model(find_model().folder, name="start")
    assert find_mpp("start") == find_model().spec.mpp
    assert find_mpp("./start") == 2.0


def test_at_another_pixel_size_windows_are_left_out_with_a_reason(start: Path) -> None:
    kept = inherit_settings(str(start), 1.5)
    assert kept.min_tract_probability == 0.7
    assert kept.windows is None
    assert "left out: they were chosen at 2 µm/px, and this model sees 1.5" in kept.note


@pytest.mark.parametrize("weights", [None, "nvidia/mit-b0"])
def test_other_weights_have_no_settings(weights: str | None) -> None:
    kept = inherit_settings(weights, 2.0)
    assert (kept.min_tract_probability, kept.windows, kept.note) == (0.0, None, "")


def test_the_data_are_described_without_names_of_slides_or_patients() -> None:
    source = ColourTiles(training=5, validation=2)
    rows = list(source.rows)
    for index, (slide, place) in enumerate(
        [("a", "Monza"), ("a", "Monza"), ("b", "Monza"), ("c", "Palermo"), ("c", "Palermo")]
    ):
        new = {"slide": f"slide-{slide}", "patient": f"patient-{slide}", "institution": place}
        rows[index] = rows[index].model_copy(update=new)
    source.rows = tuple(rows)
    text = describe_data(source, "Biopsies of 2019.")
    assert "Biopsies of 2019. 3 slides of 3 patients (Monza 2, Palermo 1): 5 tiles of 64 px" in text
    assert "at 2 µm/px" in text
    assert "portal " in text
    assert "Validated on 2 tiles of 2 slides." in text
    assert "slide-" not in text
    assert "patient-" not in text


def test_bare_tiles_are_not_called_slides() -> None:
    source = ColourTiles(training=4, validation=1)
    bare = {"patient": "unknown", "institution": "unknown"}
    source.rows = tuple(row.model_copy(update=bare) for row in source.rows)
    text = describe_data(source)
    assert text.startswith("Tiles that name no slides: 4 tiles")
    assert "Validated on 1 tile." in text


def test_synthetic_tiles_are_called_so_whatever_their_institution() -> None:
    source = ColourTiles(training=4, validation=1)
    assert "SYNTHETIC" not in describe_data(source)
    source.synthetic = True  # type: ignore[attr-defined]
    assert describe_data(source, "Own words.").startswith("SYNTHETIC. Own words.")


def test_the_weights_are_named_with_their_own_data(start: Path, tmp_path: Path) -> None:
    own = find_model().spec.trained_on
    assert describe_start(str(start)) == f"Started from start 3, trained on: {own}"
    assert describe_start(None) == "Started from random weights."
    (tmp_path / "encoder").mkdir()
    assert describe_start(str(tmp_path / "encoder")) == "Started from encoder."
    assert describe_start("nvidia/mit-b0") == "Started from nvidia/mit-b0."
