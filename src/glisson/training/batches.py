"""Tiles in batches, in an order that a seed decides, from any point of an epoch on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glisson.dataset import TileRow, TileSource
from glisson.training.loss import with_ignored_border

Positions = NDArray[np.int64]
Batch = tuple[Tensor, Tensor, Tensor]
"""Positions of the tiles in their split, (N, 3, H, W) images, (N, H, W) uint8 labels.

Images are bytes as they are read, and floats in 0 to 1 once they are on the device."""


class SplitTiles(Dataset[tuple[int, Tensor, Tensor]]):  # type: ignore[misc]  # torch has no types
    """The tiles of one split as tensors.

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
        labels = with_ignored_border(pixels.labels, self._ignored_border_um / row.mpp)
        rgb = np.ascontiguousarray(pixels.rgb.transpose(2, 0, 1))
        return index, torch.from_numpy(rgb), torch.from_numpy(np.ascontiguousarray(labels))


class Order:
    """Batches of positions, drawn anew every epoch; each device takes its part of a batch.

    Args:
        count: tiles of the split.
        per_epoch: tiles drawn for an epoch; 0 for all.
        batch: tiles per step over all devices.
        rank: number of this device.
        devices: number of devices.
        seed: of the draw.
        shuffled: False keeps tiles in their order, the last batch being what is left.
        favoured: positions of tiles that come more often than the others.
        share: least part of an epoch that is favoured tiles, if there are any.
    """

    def __init__(
        self,
        count: int,
        per_epoch: int,
        batch: int,
        rank: int = 0,
        devices: int = 1,
        seed: int = 0,
        shuffled: bool = True,
        favoured: Sequence[int] = (),
        share: float = 0.0,
    ) -> None:
        self._favoured = np.asarray(favoured, int) if share * count > len(favoured) > 0 else None
        self._share = share
        self._count, self._per_epoch, self._batch = count, per_epoch or count, batch
        self._rank, self._devices = rank, devices
        self._seed, self._shuffled = seed, shuffled
        self._epoch, self._first = 0, 0

    def start_at(self, epoch: int, first: int = 0) -> None:
        """Take the order of an epoch, its first `first` batches left out."""
        self._epoch, self._first = epoch, first

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        whole = self._per_epoch // self._batch if self._shuffled else -(-self._count // self._batch)
        return max(1, whole)

    def __iter__(self) -> Iterator[list[int]]:
        order = self._drawn()
        for number in range(self._first, len(self)):
            together = order[number * self._batch : (number + 1) * self._batch]
            own = together[self._rank :: self._devices]
            if own:  # the last tiles of a validation may be fewer than the devices
                yield own

    def _drawn(self) -> list[int]:
        if not self._shuffled:
            return list(range(self._count))
        rng = np.random.default_rng([self._seed, self._epoch])
        wanted = max(self._per_epoch, self._batch)
        if self._favoured is None:
            return _rounds(rng, np.arange(self._count), wanted).tolist()
        others = np.setdiff1d(np.arange(self._count), self._favoured)
        favoured = round(self._share * wanted)
        both = [
            _rounds(rng, self._favoured, favoured),
            _rounds(rng, others, wanted - favoured),
        ]
        return rng.permutation(np.concatenate(both)).tolist()


def _rounds(rng: np.random.Generator, positions: Positions, count: int) -> Positions:
    """So many of the positions, each again only after all the others."""
    rounds = [rng.permutation(positions) for _ in range(-(-count // len(positions)))]
    return np.concatenate([*rounds, positions[:0]])[:count]


def load(
    tiles: SplitTiles, order: Order, workers: int = 0, pinned: bool = False
) -> Iterator[Batch]:
    """Batches of a split, read by so many processes, in pinned memory if asked."""
    loader: DataLoader[tuple[Tensor, Tensor, Tensor]] = DataLoader(
        tiles, batch_sampler=order, num_workers=workers, pin_memory=pinned
    )
    yield from map(tuple, loader)
