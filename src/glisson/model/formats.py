"""A bundle in the formats of others, each compared with the trained model on real tiles."""

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
from numpy.typing import NDArray

from glisson.errors import MissingExtra, SettingsError
from glisson.files.atomic import atomic_path
from glisson.model.bundle import ONNX_FILE, ModelBundle
from glisson.model.export import fill_folder
from glisson.model.networks import load_network
from glisson.model.torch_runtime import TorchRuntime, import_torch

Tiles = NDArray[np.uint8]
Probabilities = NDArray[np.float32]

INT8_AGREEMENT = 0.995
"""Least part of the pixels whose class int8 must keep, or it is not written."""


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
    """One export against the trained model at full precision.

    Attributes:
        format: what was written.
        path: the file or folder; None when int8 did not hold and was not kept.
        largest_difference: of a probability, over all pixels and classes of the tiles.
        same_class: part of the pixels that keep their class.
        size_mb: of all its files, in 10^6 bytes; 0 when it was not kept.
    """

    format: Format
    path: Path | None
    largest_difference: float
    same_class: float
    size_mb: float = 0.0


def export_model(bundle: ModelBundle, out: Path, format: Format, tiles: Tiles) -> Exported:
    """Write one format and compare it with the bundle's own network.

    Args:
        bundle: any bundle but one of TorchScript.
        out: folder to write to.
        format: what to write.
        tiles: (N, H, W, 3) uint8 at the model's µm/px to compare on; int8 calibrates on every
            second one and is compared on the others.

    Raises:
        SettingsError: the bundle is TorchScript, or there are too few tiles for int8.
        MissingExtra: torch or nncf is not installed.
        OutputError: the folder cannot be written to.
    """
    if bundle.spec.architecture.family == "torchscript":
        raise SettingsError(
            f"{bundle.spec.name} is TorchScript already; there is nothing to export."
        )
    out.mkdir(parents=True, exist_ok=True)
    held = tiles[1::2] if format is Format.INT8 else tiles
    path, predict = _WRITERS[format](bundle, out, tiles)
    trained = TorchRuntime(bundle, device="cpu")
    wanted = np.concatenate([trained.predict(tile[None]) for tile in held])
    found = np.concatenate([predict(tile[None]) for tile in held])
    same = float(np.mean(wanted.argmax(1) == found.argmax(1)))
    difference, size_mb = float(np.abs(wanted - found).max()), _size_mb(path)
    if format is Format.INT8 and same < INT8_AGREEMENT:
        for each in (path, path.with_suffix(".bin")):
            each.unlink()
        return Exported(format, None, difference, same)
    return Exported(format, path, difference, same, size_mb)


def _size_mb(path: Path) -> float:
    """Of a folder, or of a file; OpenVINO's .xml has its weights in a .bin beside it."""
    parts = list(path.iterdir()) if path.is_dir() else [path]
    # an older export may have left a model.bin beside model.onnx and model.pt too
    if path.suffix == ".xml":
        parts.append(path.with_suffix(".bin"))
    return sum(part.stat().st_size for part in parts) / 1e6


Predict = Callable[[Tiles], Probabilities]


def _bundle(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    from glisson.model.bundle import load_bundle

    folder = out / bundle.spec.name
    fill_folder(folder, lambda new: _copied(bundle.folder, new))
    return folder, TorchRuntime(load_bundle(folder), device="cpu").predict


def _copied(source: Path, target: Path) -> None:
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)


def _onnx(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    import openvino

    path = out / "model.onnx"
    with atomic_path(path) as unfinished:
        shutil.copyfile(bundle.folder / ONNX_FILE, unfinished)
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def predict(batch: Tiles) -> Probabilities:
        return _from_logits(compiled(_normalised(bundle, batch))[0], batch)

    return path, predict


def _torchscript(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    torch = import_torch()
    path, side = out / "model.pt", bundle.spec.window_px
    with warnings.catch_warnings():
        # shapes are traced as constants: the file is for windows of one size, as in WSInfer
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(
            _scaled_network(bundle), torch.zeros(1, 3, side, side), check_trace=False
        )
    with atomic_path(path) as unfinished:
        traced.save(str(unfinished))
    with atomic_path(out / "config.json") as unfinished:
        unfinished.write_text(json.dumps(wsinfer_config(bundle), indent=2) + "\n", encoding="utf-8")
    loaded = torch.jit.load(path)

    def predict(batch: Tiles) -> Probabilities:
        pixels = torch.from_numpy(batch.transpose(0, 3, 1, 2).astype(np.float32) / 255)
        with torch.no_grad():
            found: Probabilities = loaded(pixels).softmax(dim=1).numpy()
        return found

    return path, predict


def _openvino(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    import openvino

    from glisson.model.openvino_runtime import whole_graph

    graph = whole_graph(bundle)
    path = out / "model.xml"
    openvino.save_model(graph, path, compress_to_fp16=True)
    return path, _compiled(path)


def _int8(bundle: ModelBundle, out: Path, tiles: Tiles) -> tuple[Path, Predict]:
    import openvino

    if len(tiles) < 8:
        raise SettingsError(f"int8 needs at least 8 tiles to calibrate on; there are {len(tiles)}.")
    try:
        import nncf
    except ImportError as error:
        raise MissingExtra("int8 needs nncf: pip install 'glisson[export]'") from error
    from glisson.model.openvino_runtime import whole_graph

    graph = nncf.quantize(
        whole_graph(bundle),
        nncf.Dataset([tile[None] for tile in tiles[::2]]),
        model_type=nncf.ModelType.TRANSFORMER,
        # in int8 the depthwise convolutions of the Mix-FFN cost a third of the pixels' classes
        ignored_scope=nncf.IgnoredScope(types=["GroupConvolution"]),
        subset_size=len(tiles[::2]),
    )
    path = out / "model-int8.xml"
    openvino.save_model(graph, path)
    return path, _compiled(path)


def _compiled(path: Path) -> Predict:
    import openvino

    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda batch: np.asarray(compiled(batch)[0], np.float32)


def wsinfer_config(bundle: ModelBundle) -> dict[str, Any]:
    """WSInfer's `config.json` for the traced file: the normalisation is inside it."""
    spec = bundle.spec
    return {
        "spec_version": "1.0",
        "architecture": _architecture_name(bundle),
        "num_classes": len(spec.classes),
        "class_names": list(spec.classes),
        "patch_size_pixels": spec.window_px,
        "spacing_um_px": spec.mpp,
        "transform": [{"name": "ToTensor"}],
        "license": spec.licence,
    }


def _architecture_name(bundle: ModelBundle) -> str:
    architecture = bundle.spec.architecture
    return str(architecture.config.get("encoder", architecture.family))


def _scaled_network(bundle: ModelBundle) -> Any:
    torch = import_torch()
    network, norm = load_network(bundle), bundle.spec.normalisation

    class Whole(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch has no types here
        def __init__(self) -> None:
            super().__init__()
            self.network = network
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


def _normalised(bundle: ModelBundle, batch: Tiles) -> NDArray[np.float32]:
    norm = bundle.spec.normalisation
    values = (batch.astype(np.float32) * norm.scale - norm.mean) / norm.std
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2), np.float32)


def _from_logits(logits: NDArray[Any], batch: Tiles) -> Probabilities:
    torch = import_torch()
    full = torch.nn.functional.interpolate(
        torch.from_numpy(np.array(logits)), batch.shape[1:3], mode="bilinear", align_corners=False
    )
    found: Probabilities = full.softmax(dim=1).numpy()
    return found


_WRITERS: dict[Format, Callable[[ModelBundle, Path, Tiles], tuple[Path, Predict]]] = {
    Format.BUNDLE: _bundle,
    Format.ONNX: _onnx,
    Format.TORCHSCRIPT: _torchscript,
    Format.OPENVINO: _openvino,
    Format.INT8: _int8,
}
