"""Size and overlap of windows."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.errors import SettingsError
from glisson.model.spec import ModelSpec, Windows


@dataclass(frozen=True)
class SegmentSettings:
    """Windows of a model over the tissue.

    Attributes:
        mpp: µm/px of the model's training.
        window_px: side of a window, as in training.
        overlap: overlap of neighbouring windows as a share of a window's side: a tract at a
            window's edge lies nearer to the middle of another.
        reach_um: the tissue found on a coarse grid grows by this much before prediction, so that
            a pale edge is not cut off.
    """

    mpp: float = 1.0
    window_px: int = 256
    overlap: float = 0.25
    reach_um: float = 12.0

    def __post_init__(self) -> None:
        """Reject windows that cannot cover a slide."""
        if self.window_px < 32 or not 0 <= self.overlap <= 0.75:
            raise SettingsError(
                f"Windows of {self.window_px} px with an overlap of {self.overlap} cannot cover "
                "a slide; use at least 32 px and 0 to 0.75."
            )

    @classmethod
    def of_model(cls, spec: ModelSpec, overlap: float | None = None) -> SegmentSettings:
        """Return the best windows measured for a model.

        Args:
            spec: the model's specification.
            overlap: share of a window's side; overrides the model's.
        """
        windows = spec.windows or Windows(
            side_px=spec.window_px, overlap_px=round(cls.overlap * spec.window_px)
        )
        share = windows.overlap_px / windows.side_px if overlap is None else overlap
        return cls(mpp=spec.mpp, window_px=windows.side_px, overlap=share)

    @property
    def stride_px(self) -> int:
        """Return the distance between windows."""
        return max(1, round(self.window_px * (1 - self.overlap)))
