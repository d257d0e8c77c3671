"""How a slide is cut into windows."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.errors import SettingsError
from glisson.model.spec import ModelSpec, Windows


@dataclass(frozen=True)
class SegmentSettings:
    """Windows of a model over the tissue.

    Attributes:
        mpp: µm/px the model was trained at.
        window_px: side of a window, as the model was trained.
        overlap: share of a window's side that it has in common with the next: a tract at one
            window's edge lies nearer to the middle of another.
        reach_um: tissue found at a coarse grid is grown by this much before the model decides,
            so that a pale edge is not cut off.
    """

    mpp: float = 1.0
    window_px: int = 256
    overlap: float = 0.25
    reach_um: float = 12.0

    def __post_init__(self) -> None:
        """Refuse windows that cannot cover."""
        if self.window_px < 32 or not 0 <= self.overlap <= 0.75:
            raise SettingsError(
                f"Windows of {self.window_px} px with an overlap of {self.overlap} cannot cover "
                "a slide; use at least 32 px and 0 to 0.75."
            )

    @classmethod
    def of_model(cls, spec: ModelSpec, overlap: float | None = None) -> SegmentSettings:
        """The windows that a model was measured best with.

        Args:
            spec: the model's.
            overlap: share of a window's side, instead of the model's.
        """
        windows = spec.windows or Windows(
            side_px=spec.window_px, overlap_px=round(cls.overlap * spec.window_px)
        )
        share = windows.overlap_px / windows.side_px if overlap is None else overlap
        return cls(mpp=spec.mpp, window_px=windows.side_px, overlap=share)

    @property
    def stride_px(self) -> int:
        """Distance between windows."""
        return max(1, round(self.window_px * (1 - self.overlap)))
