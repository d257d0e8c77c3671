"""Settings of the data of a training run; importing them imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from glisson.dataset import AnnotationSettings, SplitSettings


@dataclass(frozen=True)
class DataSettings:
    """Settings by which `train` reads its data.

    `at_mpp`, `size_px` and `annotations` apply to slides; `tiles_mpp` to tiles without manifest;
    `split` to slides and, by its share and seed, to tiles without manifest.

    Attributes:
        at_mpp: µm/px at which slides are read; None for that of the first weights, or else 2.
        size_px: side of the tiles.
        annotations: names of the annotation files and meanings of their classes.
        split: which slides train, validate and test.
        tiles_mpp: the tiles' own µm/px.
    """

    at_mpp: float | None = None
    size_px: int = 256
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    tiles_mpp: float | None = None
