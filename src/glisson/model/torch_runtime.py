"""The model through torch: GPUs, Apple silicon, and TorchScript files."""

from __future__ import annotations

from typing import Any

import numpy as np

from glisson.errors import MissingExtra
from glisson.model.bundle import TORCHSCRIPT_FILE, WEIGHTS_FILE, ModelBundle
from glisson.model.runtime import Probabilities, Tiles, padded_to

_SIDE_MULTIPLE = 32


class TorchRuntime:
    """A SegFormer from its safetensors, or a TorchScript file, on the best device there is."""

    def __init__(
        self, bundle: ModelBundle, device: str | None = None, threads: int | None = None
    ) -> None:
        torch = import_torch()
        if threads is not None:
            torch.set_num_threads(threads)
        self._torch = torch
        self._device = device or _best_device(torch)
        self._half = self._device.startswith("cuda")
        network = _network(bundle)
        network = network.half() if self._half else network
        self._network = network.to(self._device)
        norm = bundle.spec.normalisation
        self._scale = torch.tensor([norm.scale / s for s in norm.std], device=self._device)
        self._shift = torch.tensor(
            [m / s for m, s in zip(norm.mean, norm.std, strict=True)], device=self._device
        )
        self.name = f"torch {self._device} {'fp16' if self._half else 'f32'}"

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        height, width = tiles.shape[1:3]
        padded = padded_to(tiles, _SIDE_MULTIPLE)
        if len(tiles) == 0:
            return np.zeros((0, 3, height, width), np.float32)
        with self._torch.inference_mode():
            logits = self._logits(padded)
            probabilities = logits.float().softmax(dim=1)[:, :, :height, :width]
        result: Probabilities = probabilities.cpu().numpy()
        return result

    def _logits(self, tiles: Tiles) -> Any:
        pixels = self._torch.from_numpy(np.ascontiguousarray(tiles)).to(self._device)
        values = (pixels.float() * self._scale - self._shift).permute(0, 3, 1, 2)
        values = values.half() if self._half else values
        logits = logits_of(self._network(values))
        if logits.shape[-2:] == tiles.shape[1:3]:
            return logits
        return self._torch.nn.functional.interpolate(
            logits.float(), tiles.shape[1:3], mode="bilinear", align_corners=False
        )


def import_torch() -> Any:
    """torch, or a message on how to install it."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtra(
            "This model or runtime needs torch: pip install 'glisson[train]'"
        ) from error
    return torch


def logits_of(output: Any) -> Any:
    """The logits in whatever a network returns: a tensor, a tuple, a dict, an output object."""
    if isinstance(output, dict):
        return output["logits"] if "logits" in output else next(iter(output.values()))
    if isinstance(output, tuple | list):
        return output[0]
    return getattr(output, "logits", output)


def _best_device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _network(bundle: ModelBundle) -> Any:
    if bundle.spec.architecture.family == "torchscript":
        return import_torch().jit.load(bundle.folder / TORCHSCRIPT_FILE, map_location="cpu").eval()
    return load_segformer(bundle)


def load_segformer(bundle: ModelBundle) -> Any:
    """The bundle's SegFormer in eval mode, weights in f32."""
    import_torch()
    try:
        from safetensors.torch import load_file
        from transformers import SegformerConfig, SegformerForSemanticSegmentation

        from glisson.model.segformer import fold_decoder
    except ImportError as error:
        raise MissingExtra(f"SegFormer needs {error.name}: pip install 'glisson[train]'") from error
    config = SegformerConfig.from_dict(bundle.spec.architecture.config)
    network = SegformerForSemanticSegmentation(config)
    weights = load_file(bundle.folder / WEIGHTS_FILE)
    network.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
    )
    return fold_decoder(network).eval()
