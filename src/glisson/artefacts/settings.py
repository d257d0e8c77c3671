"""Thresholds of the artefact finder: every number, with unit and reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArtefactSettings:
    """Thresholds of `find_artefacts`.

    OD is -log10(value / glass). All were set on soiled phantoms and on the clean liver
    fields named in docs/report.md.

    Attributes:
        block_px: grid pixels of a block (4 mm at 4 µm/px).
        halo_um: µm, halo of a block.
        fold_mpp: µm/px of the search for folds; the narrowest is 20 µm.
        fold_line_um: µm, length over which a fold has to be dark all along.
        fold_width_um: µm, width of that line.
        fold_reach_um: µm, standard deviation of the neighbourhood in the comparison.
        fold_seed: OD over the neighbourhood's in every channel, in a fold's seed; folds
            give 1.25 to 2.3, as the neighbourhood holds part of the fold.
        fold_most_red: greatest growth of red over green; phantoms' folds give 0.8 to 1.05,
            inflamed tracts and the edges of pens 1.13 to 1.6.
        fold_grow: likewise, in the band around a fold's seed.
        fold_length_um: µm, shortest fold.
        fold_most_width_um: µm, widest; broader dark tissue is something else.
        fold_elongation: length over width, at least.
        ink_od: OD that ink adds in red (or blue) beyond what haematoxylin and eosin
            give, averaged over `ink_um`; applies beside a pen mark on glass alone.
        ink_um: µm, standard deviation of that average.
        ink_mm2: mm², smallest patch of ink on tissue.
        red_ink_grain: local sd of OD over its mean, below which red is ink: tissue has 0.15
            to 0.4 at 4 µm/px, ink below 0.05.
        faint_pen_um: µm, a wide grey thing on glass is ink, if coloured, from this width.
        faint_pen_mm2: mm², least area of such ink.
        rim_od: OD that a bubble's rim adds in every channel.
        rim_um: µm, widest rim.
        arc_um: µm, shortest piece of a rim to which a circle is fitted.
        bubble_radius_um: µm, least and most.
        rim_share: share of the circle that has to be rim.
        speck_od: OD that dust on tissue adds in every channel.
        speck_grey: least over most absorbed channel of dust on tissue; nuclei have 0.4.
        speck_um: µm, largest speck on tissue.
        speck_um2: µm², smallest.
        focus_mpp: µm/px of the fields in which focus is measured.
        focus_step_um: µm between their centres.
        focus_field_um: µm, their side.
        blurred: fine over coarse contrast (1 µm over 4 µm) below which a field is out of
            focus. Sharp liver gives 0.33 to 0.9; a blur of 0.7 µm 0.2, 1 µm 0.1, 3 µm 0.03.
        blurred_of_own: likewise as a share of the slide's own sharpest quarter: a blur of
            1 µm leaves 0.1 of at least 0.33.
        least_contrast: OD sd at 1 to 4 µm; a field with less contrast is not judged.
        focus_mm2: mm², smallest area out of focus.
        most_dust: greatest number of specks with an outline, the largest first.
    """

    block_px: int = 1024
    halo_um: float = 256.0
    fold_mpp: float = 8.0
    fold_line_um: float = 80.0
    fold_width_um: float = 16.0
    fold_reach_um: float = 200.0
    fold_seed: float = 1.25
    fold_most_red: float = 1.08
    fold_grow: float = 1.15
    fold_length_um: float = 150.0
    fold_most_width_um: float = 240.0
    fold_elongation: float = 2.0
    ink_od: float = 0.08
    ink_um: float = 20.0
    ink_mm2: float = 0.01
    red_ink_grain: float = 0.08
    faint_pen_um: float = 80.0
    faint_pen_mm2: float = 0.02
    rim_od: float = 0.10
    rim_um: float = 28.0
    arc_um: float = 150.0
    bubble_radius_um: tuple[float, float] = (70.0, 1000.0)
    rim_share: float = 0.55
    speck_od: float = 0.30
    speck_grey: float = 0.70
    speck_um: float = 60.0
    speck_um2: float = 60.0
    focus_mpp: float = 1.0
    focus_step_um: float = 200.0
    focus_field_um: float = 96.0
    blurred: float = 0.16
    blurred_of_own: float = 0.35
    least_contrast: float = 0.004
    focus_mm2: float = 0.05
    most_dust: int = 1000
