from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glisson.errors import SettingsError
from glisson.model import (
    Exported,
    Format,
    ModelBundle,
    add_model,
    export_model,
    find_model,
    open_runtime,
)
from glisson_phantom import render_tile


@pytest.fixture(scope="module")
def tiles() -> np.ndarray:
    return np.stack([render_tile(seed, 256, 2.0).rgb for seed in (5, 6)])


@pytest.fixture(scope="module")
def torchscript(tiles: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("exported")
    return export_model(find_model(), folder, Format.TORCHSCRIPT, tiles)


@pytest.mark.parametrize(
    ("format", "largest"), [(Format.BUNDLE, 0.0), (Format.ONNX, 1e-4), (Format.OPENVINO, 5e-3)]
)
def test_exports_repeat_the_trained_model(
    tmp_path: Path, tiles: np.ndarray, format: Format, largest: float
) -> None:
    check_export(export_model(find_model(), tmp_path, format, tiles), largest)


def test_a_traced_export_repeats_the_trained_model(torchscript: Exported) -> None:
    check_export(torchscript, 1e-4)


def check_export(made: Exported, largest: float) -> None:
    assert made.largest_difference <= largest
    assert made.same_class > 0.999
    assert made.path is not None
    assert made.path.exists()


def test_the_traced_file_comes_back_as_a_model(torchscript: Exported, tiles: np.ndarray) -> None:
    """As a WSInfer user would take it: the file and its config.json, nothing else."""
    assert torchscript.path is not None
    config = torchscript.path.with_name("config.json")
    facts = json.loads(config.read_text())
    spec = find_model().spec
    assert (facts["spacing_um_px"], facts["patch_size_pixels"]) == (spec.mpp, spec.window_px)
    back = add_model(torchscript.path, name="back", config=config)
    found = open_runtime(back, precision="f32").predict(tiles)
    wanted = open_runtime(find_model(), precision="f32").predict(tiles)
    assert np.abs(found - wanted).max() < 1e-3


def test_int8_asks_for_enough_tiles(tmp_path: Path, tiles: np.ndarray) -> None:
    with pytest.raises(SettingsError, match="at least 8 tiles"):
        export_model(find_model(), tmp_path, Format.INT8, tiles)
    assert not list(tmp_path.iterdir())


def test_each_size_is_of_the_files_own_on_a_second_run_too(
    tmp_path: Path, bundle: ModelBundle
) -> None:
    """OpenVINO's model.bin lies beside model.onnx and model.pt, and belongs to neither."""
    tiles = np.zeros((1, 128, 128, 3), np.uint8)
    files = {
        Format.ONNX: ["model.onnx"],
        Format.TORCHSCRIPT: ["model.pt"],
        Format.OPENVINO: ["model.xml", "model.bin"],
    }
    for _ in range(2):
        for each, names in files.items():
            size_mb = export_model(bundle, tmp_path, each, tiles).size_mb
            assert size_mb == sum((tmp_path / name).stat().st_size for name in names) / 1e6


@pytest.mark.parametrize(("least", "kept"), [(0.0, True), (1.01, False)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_int8_is_kept_only_where_it_agrees(
    tmp_path: Path,
    bundle: ModelBundle,
    monkeypatch: pytest.MonkeyPatch,
    least: float,
    kept: bool,
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setattr("glisson.model.formats.INT8_AGREEMENT", least)
    tiles = np.random.default_rng(0).integers(0, 255, (8, 128, 128, 3)).astype(np.uint8)
    made = export_model(bundle, tmp_path, Format.INT8, tiles)
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == ({"model-int8.xml", "model-int8.bin"} if kept else set())
    assert (made.path is not None) == (made.size_mb > 0) == kept
    assert 0 < made.same_class <= 1
