"""The model through torch: GPUs, Apple silicon, and TorchScript files."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from glisson.errors import MissingExtra
from glisson.model.bundle import TORCHSCRIPT_FILE, ModelBundle
from glisson.model.networks import load_network
from glisson.model.runtime import Probabilities, Tiles, padded_to

_SIDE_MULTIPLE = 32
_READERS = 4
_WINDOWS_ON_PROCESSOR = 4
_MOST_WINDOWS = 16
"""A call on a graphics card: more make the network no faster, and copies slower (docs/speed.md)."""
_SHARE_OF_MEMORY = 0.5


class TorchRuntime:
    """A network from its safetensors, or a TorchScript file, on the best device there is.

    On CUDA it computes in half precision with channels last, and takes as many windows a call as
    half of the free memory holds. The device computes one call at a time; the other workers read.
    """

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
        if self._half:
            network = network.half().to(memory_format=torch.channels_last)
        self._network = network.to(self._device)
        norm = bundle.spec.normalisation
        self._scale = torch.tensor([norm.scale / s for s in norm.std], device=self._device)
        self._shift = torch.tensor(
            [m / s for m, s in zip(norm.mean, norm.std, strict=True)], device=self._device
        )
        self._one_call = threading.Lock()
        self.name = f"torch {self._device} {'fp16' if self._half else 'f32'}"
        self.workers = 2 if self._device == "cpu" else _READERS
        self.windows_a_call = self._fitting(bundle.spec.window_px)

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        height, width = tiles.shape[1:3]
        padded = padded_to(tiles, _SIDE_MULTIPLE)
        if len(tiles) == 0:
            return np.zeros((0, 3, height, width), np.float32)
        pixels = self._pinned(padded)
        with self._one_call, self._torch.inference_mode():
            logits = self._logits(pixels)
            probabilities = logits.float().softmax(dim=1)[:, :, :height, :width]
            result: Probabilities = probabilities.cpu().numpy()
        return result

    def _pinned(self, tiles: Tiles) -> Any:
        """The bytes in memory that the device can fetch by itself."""
        pixels = self._torch.from_numpy(np.ascontiguousarray(tiles))
        return pixels.pin_memory() if self._half else pixels

    def _logits(self, pixels: Any) -> Any:
        values = pixels.to(self._device, non_blocking=True)
        values = (values.float() * self._scale - self._shift).permute(0, 3, 1, 2)
        values = values.half() if self._half else values  # in NHWC still: channels last
        logits = logits_of(self._network(values))
        if logits.shape[-2:] == pixels.shape[1:3]:
            return logits
        return self._torch.nn.functional.interpolate(
            logits.float(), pixels.shape[1:3], mode="bilinear", align_corners=False
        )

    def _fitting(self, window_px: int) -> int:
        """Windows a call that half of the device's free memory holds, a power of two."""
        if not self._half:
            return _WINDOWS_ON_PROCESSOR
        cuda = self._torch.cuda
        before = cuda.memory_allocated(self._device)
        cuda.reset_peak_memory_stats(self._device)
        self.predict(np.zeros((2, window_px, window_px, 3), np.uint8))
        each = max(1, (cuda.max_memory_allocated(self._device) - before) // 2)
        fitting = int(_SHARE_OF_MEMORY * cuda.mem_get_info(self._device)[0] / each)
        return 1 << (min(max(fitting, 1), _MOST_WINDOWS).bit_length() - 1)


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
    return load_network(bundle)
