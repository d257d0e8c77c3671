"""Tiles in batches, in an order that a seed decides, from any point of an epoch on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glisson.dataset import TileRow, TileSource
from glisson.training.loss import ignore_border

Positions = NDArray[np.int64]
Batch = tuple[Tensor, Tensor, Tensor]
"""Positions of the tiles in their split, (N, 3, H, W) images, (N, H, W) uint8 labels.

Images are bytes when they are read, and floats in 0 to 1 on the device."""


class SplitTiles(Dataset[tuple[int, Tensor, Tensor]]):  # type: ignore[misc]  # torch has no types
    """The tiles of a split as tensors.

    Attributes:
        rows: its tiles.
    """

    def __init__(
        self, source: TileSource, rows: Sequence[TileRow], ignored_border_um: float = 0.0
    ) -> None:
        self._source = source
        self.rows = list(rows)
        self._ignored_border_um = ignored_border_um

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[int, Tensor, Tensor]:
        row = self.rows[index]
        pixels = self._source.read(row)
        labels = ignore_border(pixels.labels, self._ignored_border_um / row.mpp)
        rgb = np.ascontiguousarray(pixels.rgb.transpose(2, 0, 1))
        return index, torch.from_numpy(rgb), torch.from_numpy(np.ascontiguousarray(labels))


@dataclass
class Order:
    """Batches of positions, in a new random order every epoch; each device takes its part.

    Attributes:
        count: tiles of the split.
        per_epoch: tiles drawn for an epoch; 0 for all.
        batch: tiles per step over all devices.
        rank: number of this device.
        devices: number of devices.
        seed: of the draw.
        is_shuffled: False keeps the tiles in their order; the last batch is then smaller.
        favoured: positions of tiles that come more often than the others.
        share: least share of an epoch that is favoured tiles, if there are any.
        epoch: number of the epoch.
        first: batches of the epoch to skip.
    """

    count: int
    per_epoch: int
    batch: int
    rank: int = 0
    devices: int = 1
    seed: int = 0
    is_shuffled: bool = True
    favoured: Sequence[int] = ()
    share: float = 0.0
    epoch: int = 0
    first: int = 0

    def start_at(self, epoch: int, first: int = 0) -> None:
        """Take the order of an epoch and skip its first `first` batches."""
        self.epoch, self.first = epoch, first

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch."""
        tiles = self.per_epoch or self.count
        return max(1, tiles // self.batch if self.is_shuffled else -(-self.count // self.batch))

    def __iter__(self) -> Iterator[list[int]]:
        order = self._draw_epoch()
        for number in range(self.first, len(self)):
            together = order[number * self.batch : (number + 1) * self.batch]
            own = together[self.rank :: self.devices]
            if own:  # the last tiles of a validation may be fewer than the devices
                yield own

    def _draw_epoch(self) -> list[int]:
        if not self.is_shuffled:
            return list(range(self.count))
        rng = np.random.default_rng([self.seed, self.epoch])
        tiles = max(self.per_epoch or self.count, self.batch)
        if not self.share * self.count > len(self.favoured) > 0:
            return _draw_rounds(rng, np.arange(self.count), tiles).tolist()
        favoured = np.asarray(self.favoured, int)
        others = np.setdiff1d(np.arange(self.count), favoured)
        wanted = round(self.share * tiles)
        both = [_draw_rounds(rng, favoured, wanted), _draw_rounds(rng, others, tiles - wanted)]
        return rng.permutation(np.concatenate(both)).tolist()


def _draw_rounds(rng: np.random.Generator, positions: Positions, count: int) -> Positions:
    """Draw `count` positions; a position comes again only after all the others."""
    rounds = [rng.permutation(positions) for _ in range(-(-count // len(positions)))]
    return np.concatenate([*rounds, positions[:0]])[:count]


def load_batches(
    tiles: SplitTiles, order: Order, workers: int = 0, is_pinned: bool = False
) -> Iterator[Batch]:
    """Yield the batches of a split, read by `workers` processes, into pinned memory if asked."""
    loader: DataLoader[tuple[Tensor, Tensor, Tensor]] = DataLoader(
        tiles, batch_sampler=order, num_workers=workers, pin_memory=is_pinned
    )
    yield from map(tuple, loader)
