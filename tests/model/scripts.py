"""TorchScript files such as HOTSPoT's: a tensor in, logits out."""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from tests.model.conftest import tiny_segformer, torch


class Stride(torch.nn.Module):
    """The tiny network with logits at a quarter of the size, or at full size."""

    def __init__(self, network: Any, stride: int) -> None:
        super().__init__()
        self.network, self.stride = network, stride

    def forward(self, pixels: Any) -> Any:
        logits = self.network(pixel_values=pixels).logits
        if self.stride == 4:
            return logits
        return torch.nn.functional.interpolate(logits, scale_factor=4.0, mode="bilinear")


@cache
def trace_script(stride: int, classes: int) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = Stride(tiny_segformer(classes), stride)
        pixels = torch.zeros(1, 3, 256, 256)
        torch.jit.save(torch.jit.trace(network, pixels, check_trace=False), buffer)
    return buffer.getvalue()


def write_script(path: Path, stride: int = 4, classes: int = 3) -> Path:
    path.write_bytes(trace_script(stride, classes))
    return path
