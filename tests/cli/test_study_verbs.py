"""`tiles`, `train`, `evaluate` and `export` as their users run them, on small real files."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glisson.cli.app import app
from glisson.dataset import LEAK, FolderTiles
from glisson.dataset.tile_folder import NO_PATIENTS
from glisson.errors import TrainingError
from glisson.model import find_model, load_bundle
from tests.dataset.scene import write_slide

runner = CliRunner()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    names = "abcdef"
    for name in names:
        write_slide(folder, name)
    with (folder / "cases.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["slide", "patient", "institution", "override_mpp"])
        table.writerows([f"{n}.png", n, "Palermo" if n == "f" else "Monza", 1] for n in names)
    return folder


@pytest.fixture(scope="module")
def tiles(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiles")
    arguments = ["tiles", study, "-o", out, "--mpp", "2", "--size", "64", "--hold-out", "Palermo"]
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "portal %" in result.output
    return out / "2um"


@pytest.fixture(scope="module")
def trained(tiles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["train", tiles, "-o", out, "--epochs", "2", "--batch", "16", "--lr", "0.002"]
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return out


def test_training_leaves_all_it_promises(trained: Path) -> None:
    for name in ("augmentation.png", "curves.png", "history.csv", "best.pt", "last.pt"):
        assert (trained / name).stat().st_size > 500, name
    assert list((trained / "tensorboard").glob("events.*"))
    assert len(list(csv.DictReader((trained / "history.csv").read_text().splitlines()))) == 2
    facts = json.loads((trained / "train.json").read_text())
    assert facts["recipe"]["epochs"] == 2
    assert "f" not in facts["training_slides"] + facts["validation_slides"]


def test_a_run_is_not_overwritten(trained: Path, tiles: Path) -> None:
    result = runner.invoke(app, ["train", str(tiles), "-o", str(trained)])
    assert isinstance(result.exception, TrainingError)
    assert "--resume" in str(result.exception)


def test_a_model_inherits_the_licence_it_starts_from(tiles: Path, tmp_path: Path) -> None:
    default = find_model()
    arguments = ["train", tiles, "-o", tmp_path / "run", "--weights", default.folder,
                 "--epochs", "1", "--tiles-per-epoch", "2", "--batch", "2"]  # fmt: skip
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "Licence of the new model: Apache-2.0" in result.output
    assert load_bundle(tmp_path / "run" / "model").spec.licence == default.spec.licence


def test_folders_that_leak_say_so(tiles: Path, study: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    for name in ("Original", "Mask"):
        shutil.copytree(tiles / name, bare / name)
    assert FolderTiles(bare, mpp=2.0).leak == NO_PATIENTS
    arguments = [
        "tiles",
        study,
        "-o",
        tmp_path / "torn",
        "--split",
        "tile",
        "--size",
        "64",
        "--mpp",
        "2",
    ]
    result = runner.invoke(app, list(map(str, arguments)))
    assert LEAK[:40] in result.output
    torn = tmp_path / "torn" / "2um"
    assert FolderTiles(torn).leak == LEAK
    assert FolderTiles(tiles).leak is None
    evaluated = runner.invoke(app, ["evaluate", str(torn), "-o", str(tmp_path / "evaluation")])
    assert LEAK[:40] in evaluated.output


def test_the_model_is_evaluated_and_segments(trained: Path, tiles: Path, study: Path) -> None:
    model = str(trained / "model")
    out = trained.parent / "evaluation"
    result = runner.invoke(app, ["evaluate", str(tiles), "-m", model, "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "Palermo" in (out / "evaluation.html").read_text(encoding="utf-8")
    arguments = ["segment", str(study / "a.png"), "--mpp", "1", "-m", model, "-o", str(out / "s")]
    assert runner.invoke(app, arguments).exit_code == 0


def test_slides_are_evaluated_without_tiles(study: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", study, "-o", tmp_path, "--split", "tile"]
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "too good" in result.output
    assert "too good" in (tmp_path / "evaluation.html").read_text(encoding="utf-8")


def test_the_model_is_exported(trained: Path, tiles: Path, tmp_path: Path) -> None:
    arguments = ["export", trained / "model", "-o", tmp_path, "--tiles", tiles, "--format",
                 "torchscript", "--count", "2"]  # fmt: skip
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "largest difference" in result.output
    assert (tmp_path / "config.json").exists()
