"""EfficientNet-Lite 0 to 2 without their classifier: an encoder of four strides.

Lite models have neither squeeze-and-excitation nor swish, so that they run fast on processors and
in 8 bits (Tan and Le 2019; TensorFlow's `efficientnet/lite`). Tensors keep the names of the
published weights, less their leading underscores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPS = 1e-3
BATCH_NORM_MOMENTUM = 0.01
_STEM_CHANNELS = 32
_DROP_PATH = 0.2

# repeats, kernel, stride, expansion, channels of each group of blocks
_GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_LAST_OF_STRIDE = (1, 2, 4, 6)
"""Groups after which strides 4, 8, 16 and 32 are complete."""

SIZES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}
"""Factors on channels and on repeats."""


@dataclass(frozen=True)
class _BlockShape:
    channels_in: int
    channels: int
    kernel: int
    stride: int
    expansion: int


class SameConv2d(nn.Conv2d):  # type: ignore[misc]  # torch has no types here
    """A convolution with TensorFlow's 'same' padding for even sizes.

    At stride 2 the odd pixel of padding lies at the right and bottom; torch's own padding would
    shift every feature by half a pixel against the pretrained weights.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, C, H, W)."""
        total = self.kernel_size[0] - self.stride[0]
        before, after = total // 2, total - total // 2
        if before == after:
            return functional.conv2d(
                features, self.weight, None, self.stride, before, groups=self.groups
            )
        padded = functional.pad(features, (before, after, before, after))
        return functional.conv2d(padded, self.weight, None, self.stride, groups=self.groups)


class Block(nn.Module):  # type: ignore[misc]  # torch has no types here
    """An inverted bottleneck: expand, filter each channel, project, and add the input."""

    def __init__(self, shape: _BlockShape, drop_path: float) -> None:
        super().__init__()
        wide = shape.channels_in * shape.expansion
        self._drop_path = drop_path
        self._adds_input = shape.stride == 1 and shape.channels_in == shape.channels
        if shape.expansion != 1:
            self.expand_conv = SameConv2d(shape.channels_in, wide, 1, bias=False)
            self.bn0 = _make_batch_norm(wide)
        self.depthwise_conv = SameConv2d(
            wide, wide, shape.kernel, shape.stride, groups=wide, bias=False
        )
        self.bn1 = _make_batch_norm(wide)
        self.project_conv = SameConv2d(wide, shape.channels, 1, bias=False)
        self.bn2 = _make_batch_norm(shape.channels)

    def forward(self, features: Tensor) -> Tensor:
        """Compute (N, C', H / stride, W / stride) from (N, C, H, W)."""
        inner = features
        if hasattr(self, "expand_conv"):
            inner = functional.relu6(self.bn0(self.expand_conv(inner)))
        inner = functional.relu6(self.bn1(self.depthwise_conv(inner)))
        inner = self.bn2(self.project_conv(inner))
        return features + self._drop_tiles(inner) if self._adds_input else inner

    def _drop_tiles(self, features: Tensor) -> Tensor:
        """Skip the block for some tiles in training (stochastic depth)."""
        if not self.training or not self._drop_path:
            return features
        keep = 1 - self._drop_path
        drawn = torch.rand((len(features), 1, 1, 1), device=features.device) < keep
        return features / keep * drawn


class EfficientNetLite(nn.Module):  # type: ignore[misc]  # torch has no types here
    """The encoder.

    Attributes:
        channels: of the features at strides 4, 8, 16 and 32.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.conv_stem = SameConv2d(3, _STEM_CHANNELS, 3, 2, bias=False)
        self.bn0 = _make_batch_norm(_STEM_CHANNELS)
        groups = _plan_blocks(size)
        shapes = [shape for group in groups for shape in group]
        self.blocks = nn.ModuleList(
            Block(shape, _DROP_PATH * number / len(shapes)) for number, shape in enumerate(shapes)
        )
        self._ends = [sum(map(len, groups[: group + 1])) - 1 for group in _LAST_OF_STRIDE]
        self.channels = tuple(shapes[end].channels for end in self._ends)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Compute features at strides 4, 8, 16 and 32 of normalised (N, 3, H, W) pixels."""
        features, found = functional.relu6(self.bn0(self.conv_stem(pixels))), []
        for number, block in enumerate(self.blocks):
            features = block(features)
            if number in self._ends:
                found.append(features)
        return found


def _plan_blocks(size: int) -> list[list[_BlockShape]]:
    """List the blocks of each group; the first and last group have one block at every size."""
    wider, deeper = SIZES[size]
    groups, before = [], _STEM_CHANNELS
    for number, (repeats, kernel, stride, expansion, width) in enumerate(_GROUPS):
        channels = _round_to_8(width * wider)
        is_fixed = number in (0, len(_GROUPS) - 1)
        more = repeats - 1 if is_fixed else math.ceil(repeats * deeper) - 1
        first = _BlockShape(before, channels, kernel, stride, expansion)
        other = _BlockShape(channels, channels, kernel, 1, expansion)
        groups.append([first, *[other] * more])
        before = channels
    return groups


def _round_to_8(channels: float) -> int:
    """Round channels to a multiple of 8, upwards where rounding loses over a tenth."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _make_batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)
