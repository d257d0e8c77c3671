"""A bundle in other formats, each compared with the trained model on real tiles."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from glisson.errors import MissingExtra, SettingsError
from glisson.files.atomic import atomic_path
from glisson.model.bundle import ONNX_FILE, ModelBundle, load_bundle
from glisson.model.networks.families import load_network
from glisson.model.networks.tensors import compute_probabilities, import_torch
from glisson.model.runtimes.base import Probabilities, Tiles
from glisson.model.runtimes.on_torch import TorchRuntime
from glisson.model.writing import fill_folder

INT8_AGREEMENT = 0.995
"""Least share of the pixels whose class int8 must keep; below it no int8 file is written."""

Predict = Callable[[Tiles], Probabilities]
_FULL_PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}


class Format(StrEnum):
    """A format to export to.

    BUNDLE: Glisson's own folder. ONNX: normalised pixels to logits at a quarter of the size.
    TORCHSCRIPT: pixels / 255 to logits at full size, with WSInfer's `config.json` beside it.
    OPENVINO and INT8: bytes to probabilities, for Intel's runtime.
    """

    BUNDLE = "bundle"
    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"
    OPENVINO = "openvino"
    INT8 = "int8"


@dataclass(frozen=True)
class Exported:
    """An export, compared with the trained model at full precision.

    Attributes:
        format: the format.
        path: the file or folder; None when int8 did not agree and was deleted.
        largest_difference: of a probability, over all pixels and classes of the tiles.
        same_class: share of the pixels that keep their class.
        size_mb: of all its files, in 10^6 bytes; 0 when it was deleted.
    """

    format: Format
    path: Path | None
    largest_difference: float
    same_class: float
    size_mb: float = 0.0


def export_model(bundle: ModelBundle, out: Path, format: Format, tiles: Tiles) -> Exported:
    """Write a format and compare it with the bundle's own network.

    Args:
        bundle: any bundle but a TorchScript one.
        out: folder to write to.
        format: the format to write.
        tiles: (N, H, W, 3) uint8 at the model's µm/px to compare on; int8 calibrates on every
            second tile and compares on the others.

    Raises:
        SettingsError: the bundle is TorchScript, or there are too few tiles for int8.
        MissingExtra: torch or nncf is not installed.
        OutputError: the folder cannot be written to.
    """
    if bundle.spec.architecture.is_torchscript:
        raise SettingsError(
            f"{bundle.spec.name} is TorchScript already; there is nothing to export."
        )
    out.mkdir(parents=True, exist_ok=True)
    path, predict = _WRITERS[format](bundle, out, tiles)
    reference = TorchRuntime(bundle, device="cpu")
    compared = tiles[1::2] if format is Format.INT8 else tiles
    expected = np.concatenate([reference.predict(tile[None]) for tile in compared])
    found = np.concatenate([predict(tile[None]) for tile in compared])
    same = float(np.mean(expected.argmax(1) == found.argmax(1)))
    difference = float(np.abs(expected - found).max())
    if format is Format.INT8 and same < INT8_AGREEMENT:
        path.unlink()
        path.with_suffix(".bin").unlink()
        return Exported(format, None, difference, same)
    return Exported(format, path, difference, same, _measure_mb(path))


def _measure_mb(path: Path) -> float:
    """Measure a folder, or a file; OpenVINO's .xml has its weights in a .bin beside it."""
    parts = list(path.iterdir()) if path.is_dir() else [path]
    # an older export may have left a model.bin beside model.onnx and model.pt too
    if path.suffix == ".xml":
        parts.append(path.with_suffix(".bin"))
    return sum(part.stat().st_size for part in parts) / 1e6


def _write_bundle(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    folder = out / bundle.spec.name

    def copy_files(temporary: Path) -> None:
        shutil.copytree(bundle.folder, temporary, copy_function=shutil.copyfile, dirs_exist_ok=True)

    fill_folder(folder, copy_files)
    return folder, TorchRuntime(load_bundle(folder), device="cpu").predict


def _write_onnx(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    from glisson.model.runtimes.quiet_openvino import openvino

    path, torch = out / "model.onnx", import_torch()
    with atomic_path(path) as unfinished:
        shutil.copyfile(bundle.folder / ONNX_FILE, unfinished)
    compiled = openvino.Core().compile_model(path, "CPU", _FULL_PRECISION)

    def predict(batch: Tiles) -> Probabilities:
        logits = compiled(bundle.spec.normalisation.normalise(batch))[0]
        found: Probabilities = compute_probabilities(
            torch.from_numpy(np.array(logits)), batch.shape[1:3]
        ).numpy()
        return found

    return path, predict


def _write_torchscript(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    torch = import_torch()
    path, side = out / "model.pt", bundle.spec.window_px
    with warnings.catch_warnings():
        # shapes are traced as constants: the file is for windows of one size, as in WSInfer
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(
            _wrap_network(bundle), torch.zeros(1, 3, side, side), check_trace=False
        )
    with atomic_path(path) as unfinished:
        traced.save(str(unfinished))
    with atomic_path(out / "config.json") as unfinished:
        config = json.dumps(describe_for_wsinfer(bundle), indent=2)
        unfinished.write_text(config + "\n", encoding="utf-8")
    loaded = torch.jit.load(path)

    def predict(batch: Tiles) -> Probabilities:
        pixels = torch.from_numpy(batch.transpose(0, 3, 1, 2).astype(np.float32) / 255)
        with torch.no_grad():
            found: Probabilities = loaded(pixels).softmax(dim=1).numpy()
        return found

    return path, predict


def _write_openvino(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    from glisson.model.runtimes.on_openvino import build_graph
    from glisson.model.runtimes.quiet_openvino import openvino

    path = out / "model.xml"
    openvino.save_model(build_graph(bundle), path, compress_to_fp16=True)
    return path, _compile(path)


def _write_int8(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    from glisson.model.runtimes.quiet_openvino import openvino

    if len(tiles) < 8:
        raise SettingsError(f"int8 needs at least 8 tiles to calibrate on; there are {len(tiles)}.")
    try:
        import nncf
    except ImportError as error:
        raise MissingExtra("int8 needs nncf: pip install 'glisson[export]'") from error
    from glisson.model.runtimes.on_openvino import build_graph

    graph = nncf.quantize(
        build_graph(bundle),
        nncf.Dataset([tile[None] for tile in tiles[::2]]),
        model_type=nncf.ModelType.TRANSFORMER,
        # in int8 the depthwise convolutions of the Mix-FFN cost a third of the pixels' classes
        ignored_scope=nncf.IgnoredScope(types=["GroupConvolution"]),
        subset_size=len(tiles[::2]),
    )
    path = out / "model-int8.xml"
    openvino.save_model(graph, path)
    return path, _compile(path)


def _compile(path: Path) -> Predict:
    from glisson.model.runtimes.quiet_openvino import openvino

    compiled = openvino.Core().compile_model(path, "CPU", _FULL_PRECISION)
    return lambda batch: np.asarray(compiled(batch)[0], np.float32)


def describe_for_wsinfer(bundle: ModelBundle) -> dict[str, Any]:
    """Return WSInfer's `config.json` for the traced file, which normalises by itself."""
    spec = bundle.spec
    return {
        "spec_version": "1.0",
        "architecture": spec.architecture.config.get("encoder", spec.architecture.family),
        "num_classes": len(spec.classes),
        "class_names": list(spec.classes),
        "patch_size_pixels": spec.window_px,
        "spacing_um_px": spec.mpp,
        "transform": [{"name": "ToTensor"}],
        "license": spec.licence,
    }


def _wrap_network(bundle: ModelBundle) -> Any:
    """Wrap the network so that it takes pixels / 255 and returns logits at full size."""
    torch = import_torch()
    norm = bundle.spec.normalisation

    class Whole(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch has no types here
        def __init__(self) -> None:
            super().__init__()
            self.network = load_network(bundle)
            # the input is bytes / 255, not bytes
            self.register_buffer("scale", torch.tensor(255 * norm.scale))
            self.register_buffer("mean", torch.tensor(norm.mean).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor(norm.std).view(1, 3, 1, 1))

        def forward(self, pixels: Any) -> Any:
            logits = self.network(pixel_values=(pixels * self.scale - self.mean) / self.std).logits
            return torch.nn.functional.interpolate(
                logits, pixels.shape[2:], mode="bilinear", align_corners=False
            )

    return Whole().eval()


_WRITERS: dict[Format, Callable[[ModelBundle, Path, Tiles], tuple[Path, Predict]]] = {
    Format.BUNDLE: _write_bundle,
    Format.ONNX: _write_onnx,
    Format.TORCHSCRIPT: _write_torchscript,
    Format.OPENVINO: _write_openvino,
    Format.INT8: _write_int8,
}
