"""The settings of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glisson.errors import SettingsError
from glisson.measurement import INTERFACE_WIDTH_UM
from glisson.record import SettingsRecord

Precision = Literal["auto", "f32", "bf16"]


@dataclass(frozen=True)
class RunSettings:
    """The settings that decide a slide's results, and those of the work.

    Attributes:
        mpp: level-0 µm/px of every slide, overriding the files; None to trust the files.
        series: number of the image in files of several, from 0; None for the only scan.
        overlap: of neighbouring windows, 0 to 0.75; None for that of the model.
        min_tract_area_um2: smaller portal areas are not called tracts.
        interface_width_um: of the band of lobule round tracts.
        sections: sections of the same cores on every slide; None to find out.
        precision: arithmetic of the model on the processor; `auto` is the fastest that keeps
            the answer there.
        runtime: `auto`, `openvino` or `torch`.
        threads: processor threads; None for all.
        overwrite: redo slides that are already done.
        keep_old: keep results of other settings, models or versions, which tables tell apart.
        cache: parent of temporary folders for slides and results on stores; None for
            `$GLISSON_CACHE` or the system's cache folder.
    """

    mpp: float | None = None
    series: int | None = None
    overlap: float | None = None
    min_tract_area_um2: float = 1500.0
    interface_width_um: float = INTERFACE_WIDTH_UM
    sections: int | None = None
    precision: Precision = "auto"
    runtime: Literal["auto", "openvino", "torch"] = "auto"
    threads: int | None = None
    overwrite: bool = False
    keep_old: bool = False
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Reject invalid settings."""
        share = self.overlap
        _require(share is None or 0 <= share <= 0.75, "overlap", share, "a share from 0 to 0.75")
        _require(
            0 <= self.min_tract_area_um2 <= 1e6,
            "min-tract-area",
            self.min_tract_area_um2,
            "0 to 1,000,000 µm²",
        )
        check_measuring_settings(self.interface_width_um, self.sections)
        _require(self.series is None or self.series >= 0, "series", self.series, "0 or more")
        _require(self.threads is None or self.threads >= 1, "threads", self.threads, "1 or more")
        if self.overwrite and self.keep_old:
            raise SettingsError("--overwrite and --keep-old contradict each other; give one.")

    def for_record(self) -> SettingsRecord:
        """Return the settings that decide the result, for `biopsy.json` and for resuming."""
        return SettingsRecord(**{key: getattr(self, key) for key in SettingsRecord.model_fields})


def check_measuring_settings(interface_width_um: float | None, sections: int | None) -> None:
    """Reject an invalid interface width or number of sections.

    Raises:
        SettingsError: a width below 0 or above 500 µm, or sections outside 1 to 100.
    """
    width = interface_width_um
    _require(width is None or 0 <= width <= 500, "interface-width", width, "0 to 500 µm")
    _require(sections is None or 1 <= sections <= 100, "sections", sections, "1 to 100")


def _require(is_valid: bool, name: str, value: object, allowed: str) -> None:
    if not is_valid:
        raise SettingsError(f"--{name} is {value}; give {allowed}.")
