"""Thresholds of the tissue finder: every number, with unit and reason."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.errors import SettingsError
from glisson.threads import available_threads

_MOST_WORKERS = 4


@dataclass(frozen=True)
class TissueSettings:
    """Thresholds of `find_tissue`.

    OD is -log10(value / glass). "Evidence" is the OD of green above the mean OD of red
    and blue: H&E absorbs green most, so evidence is positive in tissue at any strength
    and zero in anything grey, however dark or unevenly lit.

    Attributes:
        mpp: µm/px of the grid; 4 still shows the 5 µm walls between fat vacuoles.
        max_grid_px: grid pixels of the largest scanned area; beyond it mpp doubles until
            it fits (32 million: 22 x 22 mm at 4 µm, about 0.8 GB at the peak).
        max_read_px: level pixels of a read (16 million: 50 MB); a thread holds one read.
        band_rows: grid rows in a band, in which noise and stain are sampled.
        weak_evidence: OD, least and most that the adaptive mask threshold may take;
            0.010 is a third of cytoplasm stained at a fifth of the usual strength
            (median evidence of liver biopsy tiles 0.14), 0.030 keeps pale collagen.
        seed_evidence: OD, likewise for the seeds, on evidence averaged over `seed_um`.
        noise_sds: weak threshold in standard deviations of the glass's evidence.
        tissue_share: weak threshold as a share of the slide's median tissue evidence;
            puts the border of a strong stain near its half height.
        seed_um: µm, averaging for seeds; about half a hepatocyte's diameter.
        min_seed_share: share of a piece that must be seed.
        close_um: µm, gaps closed anywhere; spans an opened fat vacuole at the edge.
        fill_um: µm, width up to which an enclosed hole counts as tissue (fat vacuoles
            of macrosteatosis reach 60 µm; larger lumens stay glass).
        speck_um2: µm², connected evidence smaller than this is noise.
        min_fragment_mm2: mm², smaller pieces are debris; fragments of 0.05 mm² must stay.
        thin_um: µm, a separate piece nowhere wider than this is an edge or a rim if it
            is longer than `line_um`, whatever its area.
        line_um: µm, shortest line taken for an edge.
        min_texture: share of a piece that must be textured; glass, gel and ink are flat.
        texture_ratio: local sd of OD over its mean, noise removed, that counts as
            texture; H&E liver has 0.15 to 0.4 at 4 µm/px, ink below 0.05.
        rough_ratio: likewise, too rough for ink.
        max_flat_evidence: OD, above which a flat piece is tissue (out of focus).
        glass_block_um: µm, blocks in which glass is averaged.
        glass_reach_um: µm, smoothing of the glass's colour: follows vignettes, not cores.
        glass_chroma: OD, how far glass may stray from the glass modes in evidence.
        max_glass_chroma: OD, most evidence of glass against white (pink glass: 0.022).
        max_glass_tint: OD, most that one channel of glass may stray from their mean
            (yellow glass (250, 245, 220): 0.035).
        max_glass_roughness: grey levels of local sd at 16 µm/px, up to which pink beside
            pure white is glass; pale tissue has 2.5.
        min_glass_value: 8-bit grey; darker than this is not glass.
        min_mode_share: share of smooth pixels that makes a second kind of glass.
        dark_value: 8-bit grey; with more than 80 % of the scanned area below it the
            slide is dark-field or fluorescence.
        neutral_od: OD of grey things (dust, edges) worth naming; stripes stay below.
        pen_od: OD of the strongest channel in a pen's core.
        pen_mm2: mm², smallest pen mark (0.3 mm strokes are the thinnest seen).
        pen_reach_um: µm, how far a pen's feathered rim is followed.
        padding_mm2: mm², smallest flat area taken for padding.
        dust_mm2: mm², largest grey speck called dust.
        max_tissue_fraction: share of the scanned area above which the finder warns.
        threads: processor threads; None for all. They do not change the result.
    """

    mpp: float = 4.0
    max_grid_px: int = 32_000_000
    max_read_px: int = 16_000_000
    band_rows: int = 512
    weak_evidence: tuple[float, float] = (0.010, 0.030)
    seed_evidence: tuple[float, float] = (0.014, 0.040)
    noise_sds: float = 3.5
    tissue_share: float = 0.25
    seed_um: float = 12.0
    min_seed_share: float = 0.05
    close_um: float = 28.0
    fill_um: float = 64.0
    speck_um2: float = 130.0
    min_fragment_mm2: float = 0.02
    thin_um: float = 40.0
    line_um: float = 800.0
    min_texture: float = 0.15
    texture_ratio: float = 0.06
    rough_ratio: float = 0.20
    max_flat_evidence: float = 0.08
    glass_block_um: float = 64.0
    glass_reach_um: float = 750.0
    glass_chroma: float = 0.010
    max_glass_chroma: float = 0.035
    max_glass_tint: float = 0.05
    max_glass_roughness: float = 1.0
    min_glass_value: float = 120.0
    min_mode_share: float = 0.10
    dark_value: float = 60.0
    neutral_od: float = 0.06
    pen_od: float = 0.20
    pen_mm2: float = 0.02
    pen_reach_um: float = 80.0
    padding_mm2: float = 0.05
    dust_mm2: float = 0.02
    max_tissue_fraction: float = 0.90
    threads: int | None = None

    def __post_init__(self) -> None:
        if not self.mpp > 0:
            raise SettingsError(f"tissue mpp must be above 0 µm/px, not {self.mpp}")
        if min(self.max_grid_px, self.max_read_px, self.band_rows) < 1:
            raise SettingsError("tissue max_grid_px, max_read_px and band_rows must be at least 1")

    @property
    def workers(self) -> int:
        """Return the number of threads: more than a few would only hold more reads in memory."""
        return min(self.threads or available_threads(), _MOST_WORKERS)
