"""`tiles`, `train`, `evaluate` and `export` as their users run them, on small real files."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import glisson
from glisson.cli.app import app
from glisson.dataset import LEAK, FolderTiles
from glisson.dataset.tile_folder import NO_PATIENTS
from glisson.errors import MissingExtra, SettingsError, TrainingError
from glisson.model import Exported, Format, ModelBundle, export_model, find_model, load_bundle
from glisson.training import DataSettings
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
    arguments = [
        "tiles",
        study,
        "-o",
        out,
        "--at-mpp",
        "2",
        "--size",
        "64",
        "--hold-out",
        "Palermo",
    ]
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "portal %" in result.output
    return out / "2um"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model, said to see the µm/px of the tiles."""
    folder = tmp_path_factory.mktemp("models") / "shipped"
    shutil.copytree(find_model().folder, folder)
    spec = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps(spec | {"mpp": 2.0}), "utf-8")
    return folder


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


def test_a_pixel_size_that_does_not_fit_is_refused(
    tiles: Path, study: Path, tmp_path: Path
) -> None:
    for data, reading, option in (
        (study, DataSettings(tiles_mpp=2.0), "--mpp"),
        (tiles, DataSettings(at_mpp=2.0), "--at-mpp"),
    ):
        with pytest.raises(SettingsError, match=option):
            glisson.train(data, tmp_path, reading=reading)
        typed = runner.invoke(app, ["train", str(data), "-o", str(tmp_path), option, "2"])
        assert isinstance(typed.exception, SettingsError)
        assert option in str(typed.exception)


def test_a_model_inherits_licence_and_scale_of_what_it_starts_from(
    study: Path, tmp_path: Path
) -> None:
    default = find_model()
    arguments = ["train", study, "-o", tmp_path / "run", "--weights", default.folder, "--size",
                 "64", "--epochs", "1", "--tiles-per-epoch", "2", "--batch", "2"]  # fmt: skip
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    spec = load_bundle(tmp_path / "run" / "model").spec
    assert spec.licence == f"started from {default.folder}: {default.spec.licence}"
    assert f"Licence of the new model: {spec.licence}" in result.output
    assert spec.mpp == default.spec.mpp != 2.0
    assert spec.windows == default.spec.windows is not None
    assert spec.min_tract_probability == default.spec.min_tract_probability
    assert spec.tract_evidence == default.spec.tract_evidence
    assert spec.tract_evidence.min_sure_area_um2 > 0
    assert "nobody has measured it for the new weights" in result.output
    for text in (spec.trained_on, (tmp_path / "run/model/MODEL_CARD.md").read_text("utf-8")):
        assert "(Monza " in text
        assert f"at {default.spec.mpp:g} µm/px" in text
        assert f"Started from {default.spec.name} {default.spec.version}" in text
        assert default.spec.trained_on in text


def test_folders_that_leak_say_so(tiles: Path, study: Path, shipped: Path, tmp_path: Path) -> None:
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
        "--at-mpp",
        "2",
    ]
    result = runner.invoke(app, list(map(str, arguments)))
    assert LEAK[:40] in result.output
    torn = tmp_path / "torn" / "2um"
    assert FolderTiles(torn).leak == LEAK
    assert FolderTiles(tiles).leak is None
    arguments = ["evaluate", torn, "-m", shipped, "-o", tmp_path / "evaluation"]
    evaluated = runner.invoke(app, list(map(str, arguments)))
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


def test_a_wrong_split_is_noticed(trained: Path, study: Path, tmp_path: Path) -> None:
    """The slides that validated in training were drawn by seed 0; other seeds draw others."""
    known = json.loads((trained / "train.json").read_text())["training_slides"]
    for seed in range(1, 9):
        arguments = ["evaluate", study, "-m", trained / "model", "-o", tmp_path / str(seed),
                     "--hold-out", "Palermo", "--size", "64", "--seed", seed]  # fmt: skip
        result = runner.invoke(app, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        if "was trained on" in "".join(result.output.split("\n")):
            break
    page = (tmp_path / str(seed) / "evaluation.html").read_text(encoding="utf-8")
    assert any(f"in all ({name})" in page for name in known)


@pytest.mark.parametrize(
    "options",
    [
        ["--hold-out", "Monza"],
        ["--split", "slide"],
        ["--annotations", "{slide}.x.geojson"],
        ["--class", "a=portal"],
        ["--size", "128"],
        ["--validation", "0.3"],
        ["--seed", "0"],
    ],
)
def test_options_that_tiles_do_not_heed_are_refused(
    tiles: Path, tmp_path: Path, options: list[str]
) -> None:
    result = runner.invoke(app, ["evaluate", str(tiles), "-o", str(tmp_path), *options])
    assert isinstance(result.exception, SettingsError)
    assert options[0] in str(result.exception)
    assert "glisson tiles" in str(result.exception)


@pytest.fixture
def bare(tiles: Path, tmp_path: Path) -> Path:
    for name in ("Original", "Mask"):
        (tmp_path / "bare" / name).mkdir(parents=True)
        for path in sorted((tiles / name).glob("*.png"))[::8]:
            shutil.copy(path, tmp_path / "bare" / name)
    return tmp_path / "bare"


def test_bare_tiles_ask_for_their_pixel_size(
    bare: Path, tiles: Path, shipped: Path, tmp_path: Path
) -> None:
    arguments = ["evaluate", str(bare), "-m", str(shipped), "-o", str(tmp_path / "out"),
                 "--seed", "1"]  # fmt: skip
    result = runner.invoke(app, arguments)
    assert isinstance(result.exception, SettingsError)
    assert "--mpp" in str(result.exception)
    result = runner.invoke(app, [*arguments, "--mpp", "1"])
    assert "sees 2 µm/px, the tiles have 1" in str(result.exception)
    assert runner.invoke(app, [*arguments, "--mpp", "2"]).exit_code == 0
    named = runner.invoke(app, ["evaluate", str(tiles), "-o", str(tmp_path), "--mpp", "2"])
    assert "--mpp is given 1 times" in str(named.exception)


def test_several_models_have_one_page(
    trained: Path, tiles: Path, bare: Path, shipped: Path, tmp_path: Path
) -> None:
    out = tmp_path / "both"
    arguments = ["evaluate", bare, tiles, "-m", shipped, "-m", trained / "model",
                 "-o", out, "--mpp", "2"]  # fmt: skip
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    names = [find_model().spec.name, "run"]
    for name in names:
        assert (out / name / "evaluation.html").exists()
    header = (out / "table-1-pooled.csv").read_text(encoding="utf-8").splitlines()[0]
    assert all(f"validation ({name})" in header for name in names)


def test_each_folder_has_its_model(tiles: Path, tmp_path: Path) -> None:
    model = str(find_model().folder)
    for arguments in ([tiles, tiles], [tiles, tiles, "-m", model], [tiles, "-m", "a", "-m", "b"]):
        result = runner.invoke(app, ["evaluate", *map(str, arguments), "-o", str(tmp_path)])
        assert isinstance(result.exception, SettingsError)
        assert "one --model" in str(result.exception)


def test_tiles_of_another_pixel_size_are_not_exported_on(
    trained: Path, study: Path, tmp_path: Path
) -> None:
    cut = ["tiles", study, "-o", tmp_path / "tiles", "--at-mpp", "4", "--size", "64"]
    assert runner.invoke(app, list(map(str, cut))).exit_code == 0
    arguments = ["export", trained / "model", "-o", tmp_path, "--tiles", tmp_path / "tiles/4um"]
    result = runner.invoke(app, list(map(str, arguments)))
    assert isinstance(result.exception, SettingsError)
    assert "sees 2 µm/px, the tiles have 4" in str(result.exception)


def test_without_nncf_the_others_are_exported(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the others one is written in truth, for the sake of time."""

    def quick(bundle: ModelBundle, out: Path, format: Format, tiles: np.ndarray) -> Exported:
        if format in (Format.ONNX, Format.INT8):
            return export_model(bundle, out, format, tiles)
        return Exported(format, out, 0.0, 1.0)

    monkeypatch.setattr("glisson.evaluation.export.export_model", quick)
    monkeypatch.setitem(sys.modules, "nncf", None)
    arguments = ["export", str(trained / "model"), "-o", str(tmp_path), "--count", "8"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "int8: left out" in result.output
    assert "glisson[export]" in result.output
    assert (tmp_path / "model.onnx").exists()
    assert "openvino: largest difference" in result.output
    asked = runner.invoke(app, [*arguments, "--format", "int8"])
    assert isinstance(asked.exception, MissingExtra)


def test_the_model_is_exported(trained: Path, tiles: Path, tmp_path: Path) -> None:
    arguments = ["export", trained / "model", "-o", tmp_path, "--tiles", tiles, "--format",
                 "torchscript", "--count", "2"]  # fmt: skip
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "largest difference" in result.output
    assert (tmp_path / "config.json").exists()
