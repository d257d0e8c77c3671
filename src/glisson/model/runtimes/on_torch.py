"""The model through torch: GPUs, Apple silicon, and TorchScript files."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from glisson.model.bundle import TORCHSCRIPT_FILE, ModelBundle
from glisson.model.networks.families import load_network
from glisson.model.networks.tensors import compute_probabilities, find_logits, import_torch
from glisson.model.runtimes.base import Probabilities, Tiles, pad_to_multiple

_SIDE_MULTIPLE = 32
_READERS = 4
_WINDOWS_ON_PROCESSOR = 4
_MOST_WINDOWS = 16
"""Windows a call on a graphics card: more make the network no faster, and copies slower
(docs/speed.md)."""
_SHARE_OF_MEMORY = 0.5


class TorchRuntime:
    """A network from its safetensors, or a TorchScript file, on the best device.

    On CUDA the network computes in half precision with channels last, in calls of as many windows
    as half of the free memory holds. The device computes one call at a time while the other
    workers read.
    """

    def __init__(
        self, bundle: ModelBundle, device: str | None = None, threads: int | None = None
    ) -> None:
        torch = import_torch()
        if threads is not None:
            torch.set_num_threads(threads)
        self._torch = torch
        if not device:
            gpu = "mps" if torch.backends.mps.is_available() else "cpu"
            device = "cuda" if torch.cuda.is_available() else gpu
        self._device = device
        self._is_half = self._device.startswith("cuda")
        if bundle.spec.architecture.is_torchscript:
            network = torch.jit.load(bundle.folder / TORCHSCRIPT_FILE, map_location="cpu").eval()
        else:
            network = load_network(bundle)
        if self._is_half:
            network = network.half().to(memory_format=torch.channels_last)
        self._network = network.to(self._device)
        norm = bundle.spec.normalisation
        self._scale = torch.tensor([norm.scale / s for s in norm.std], device=self._device)
        self._shift = torch.tensor(
            [m / s for m, s in zip(norm.mean, norm.std, strict=True)], device=self._device
        )
        self._call_lock = threading.Lock()
        self.name = f"torch {self._device} {'fp16' if self._is_half else 'f32'}"
        self.workers = 2 if self._device == "cpu" else _READERS
        self.windows_a_call = self._fit_windows(bundle.spec.window_px)

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        height, width = tiles.shape[1:3]
        padded = pad_to_multiple(tiles, _SIDE_MULTIPLE)
        if len(tiles) == 0:
            return np.zeros((0, 3, height, width), np.float32)
        pixels = self._torch.from_numpy(np.ascontiguousarray(padded))
        if self._is_half:
            pixels = pixels.pin_memory()  # for a copy beside the computation
        with self._call_lock, self._torch.inference_mode():
            logits = find_logits(self._network(self._normalise(pixels)))
            probabilities = compute_probabilities(logits, padded.shape[1:3])
            result: Probabilities = probabilities[:, :, :height, :width].cpu().numpy()
        return result

    def _normalise(self, pixels: Any) -> Any:
        values = pixels.to(self._device, non_blocking=True)
        values = (values.float() * self._scale - self._shift).permute(0, 3, 1, 2)
        return values.half() if self._is_half else values  # still NHWC in memory: channels last

    def _fit_windows(self, window_px: int) -> int:
        """Compute how many windows half of the free memory holds, as a power of two."""
        if not self._is_half:
            return _WINDOWS_ON_PROCESSOR
        cuda = self._torch.cuda
        before = cuda.memory_allocated(self._device)
        cuda.reset_peak_memory_stats(self._device)
        self.predict(np.zeros((2, window_px, window_px, 3), np.uint8))
        window_bytes = max(1, (cuda.max_memory_allocated(self._device) - before) // 2)
        count = int(_SHARE_OF_MEMORY * cuda.mem_get_info(self._device)[0] / window_bytes)
        return 1 << (min(max(count, 1), _MOST_WINDOWS).bit_length() - 1)
