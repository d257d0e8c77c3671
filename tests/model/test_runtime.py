"""Every runtime gives what the network gives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import SelfTestFailed, SettingsError
from glisson.model import ModelBundle, load_bundle, open_runtime
from tests.model.conftest import NORM, torch


def tiles(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (count, height, width, 3)).astype(np.uint8)


def reference(network: Any, images: np.ndarray) -> np.ndarray:
    """transformers' own output, normalised by hand."""
    values = (images / 255.0 - NORM.mean) / NORM.std
    pixels = torch.from_numpy(values.astype(np.float32).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        logits = network(pixel_values=pixels).logits
        full = torch.nn.functional.interpolate(logits, images.shape[1:3], mode="bilinear")
    return full.softmax(1).numpy()


@pytest.mark.parametrize("kind", ["openvino", "torch"])
@pytest.mark.parametrize("shape", [(2, 128, 128), (1, 256, 192), (3, 64, 96)])
def test_repeats_transformers(
    bundle: ModelBundle, network: Any, kind: Any, shape: tuple[int, int, int]
) -> None:
    images = tiles(*shape)
    found = open_runtime(bundle, kind, "f32").predict(images)
    assert found.dtype == np.float32
    # weights are stored in half precision
    assert np.abs(found - reference(network, images)).max() < 3e-3
    assert np.abs(found.sum(1) - 1).max() < 1e-5


def test_runtimes_agree(bundle: ModelBundle) -> None:
    images = tiles(2, 128, 128)
    one = open_runtime(bundle, "openvino", "f32").predict(images)
    other = open_runtime(bundle, "torch").predict(images)
    assert np.abs(one - other).max() < 1e-4


@pytest.mark.parametrize("kind", ["openvino", "torch"])
def test_a_batch_is_its_tiles(bundle: ModelBundle, kind: Any) -> None:
    runtime = open_runtime(bundle, kind)
    images = tiles(5, 128, 128)
    together = runtime.predict(images)
    alone = np.concatenate([runtime.predict(image[None]) for image in images])
    assert np.abs(together - alone).max() < 1e-5
    assert runtime.predict(images[:0]).shape == (0, 3, 128, 128)


@pytest.mark.parametrize("kind", ["openvino", "torch"])
@pytest.mark.parametrize("side", [1, 20, 33, 100, 131])
def test_any_size_comes_back_in_size(bundle: ModelBundle, kind: Any, side: int) -> None:
    found = open_runtime(bundle, kind).predict(tiles(1, side, 128))
    assert found.shape == (1, 3, side, 128)
    assert np.isfinite(found).all()


def test_bf16_stays_near(bundle: ModelBundle) -> None:
    images = tiles(1, 128, 128)
    exact = open_runtime(bundle, "openvino", "f32").predict(images)
    reduced = open_runtime(bundle, "openvino", "bf16").predict(images)
    assert np.abs(exact - reduced).max() < 0.05


def test_a_wrong_answer_is_noticed(bundle: ModelBundle, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    shutil.copytree(bundle.folder, folder)
    expected = np.load(folder / "self_test_expected.npy")
    np.save(folder / "self_test_expected.npy", 1 - expected)
    changed = ModelBundle(bundle.spec, folder)
    with pytest.raises(SelfTestFailed, match="tiny"):
        open_runtime(changed)


def test_openvino_does_not_run_torchscript(bundle: ModelBundle) -> None:
    script = bundle.spec.architecture.model_copy(update={"family": "torchscript"})
    spec = bundle.spec.model_copy(update={"architecture": script})
    with pytest.raises(SettingsError, match="torch"):
        open_runtime(ModelBundle(spec, bundle.folder), "openvino")


def test_import_is_light() -> None:
    code = (
        "import sys, glisson, glisson.model, glisson.segmentation;"
        "heavy = {m.split('.')[0] for m in sys.modules} & {'torch', 'openvino', 'transformers'};"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_shipped_model_is_sound() -> None:
    """The default bundle loads, repeats itself, and takes glass for glass."""
    from glisson.model import find_model, measure_background_on_glass

    shipped = find_model()
    assert load_bundle(shipped.folder).spec.classes == ("background", "lobule", "portal")
    assert "ynthetic" in shipped.spec.trained_on
    assert measure_background_on_glass(shipped, open_runtime(shipped)) > 0.95
