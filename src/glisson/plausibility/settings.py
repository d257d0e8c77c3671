"""Limits of the plausibility gate: every number, with unit and reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlausibilitySettings:
    """Limits of `assess_plausibility`.

    OD is -log10(value / glass). docs/report.md has the figures behind the limits.

    Attributes:
        dark_glass: grey value of the background below which light did not pass the glass;
            bright field has 165 and more, fluorescence 1 to 10.
        stained_od: OD of the strongest channel from which a pixel's hue is measured.
        most_foreign: share of stained tissue whose hue H&E cannot have: red or blue absorbed
            more than green. Liver has 0, phantoms and skin at most 2 %, fluorescence 25 %,
            picrosirius red 99 %.
        foreign_red: red over green OD beyond which a hue is foreign; haematoxylin has 0.93.
        foreign_blue: blue over green OD beyond which a hue is foreign; eosin has 0.6.
        most_red: median of red over green OD beyond which no eosin is seen; liver has 0.2 to
            0.65, haematoxylin alone 0.93.
        most_red_over_blue: median red over median blue OD beyond which red and blue are swapped,
            where dark tissue absorbs relatively less red. Liver has 0.36 to 0.9 (one phantom 1.1,
            with redder nuclei).
        least_green_od: upper quartile of the tissue's green OD below which the stain is fainter
            than what the model was trained on: the palest of 30 phantoms has 0.21, and training
            makes dyes at most 0.72 times as strong. Of 75 real tiles 74 have 0.16 and more.
        field_um: µm, side of a field.
        field_mpp: µm/px of the fields; a hepatocyte's nucleus is 7 pixels wide.
        most_fields: greatest number of fields to read.
        least_fields: sharp fields below which the organ is not judged.
        least_tissue: least share of tissue in a field.
        least_sharp_share: least share of sharp fields for the organ to be judged: the few sharp
            fields of an enlarged or blurred slide are noise.
        least_sharpness: fine over coarse contrast of a field whose nuclei can be seen
            (`ArtefactSettings.blurred`).
        nucleus_um2: µm², least and greatest area of a single nucleus.
        plausible_nucleus_um2: µm², least and greatest median area (by area) of round nuclei at a
            right pixel size. Liver has 33 to 40, phantoms 15 to 42; half the pixel size gives 7 to
            10, twice 140.
        most_elongated: greatest longest over shortest axis of a round nucleus.
        least_filled: nuclear area over that of the ellipse of equal moments; less is a cluster.
        least_round_share: share of a field's nuclear area in single round nuclei, at least, where
            hepatocytes lie. Liver has 0.3 to 0.6 on average, skin, muscle and lymphoid tissue
            0.02 to 0.15.
        most_aligned: greatest alignment of a field's edges, 0 to 1. Liver has 0.10 to
            0.20 (median), dermis 0.44, muscle 0.35 to 0.56.
        least_liver_share: share of the sharp fields that have to look like hepatocytes. Real liver
            has 0.8 and more, phantom slides of stage 4 0.46 and more, skin 0.09.
    """

    dark_glass: float = 100.0
    stained_od: float = 0.12
    most_foreign: float = 0.08
    foreign_red: float = 1.05
    foreign_blue: float = 1.0
    most_red: float = 0.85
    most_red_over_blue: float = 1.0
    least_green_od: float = 0.15
    field_um: float = 128.0
    field_mpp: float = 1.0
    most_fields: int = 48
    least_fields: int = 8
    least_tissue: float = 0.6
    least_sharp_share: float = 0.5
    least_sharpness: float = 0.16
    nucleus_um2: tuple[float, float] = (14.0, 80.0)
    plausible_nucleus_um2: tuple[float, float] = (12.0, 80.0)
    most_elongated: float = 1.6
    least_filled: float = 0.85
    least_round_share: float = 0.12
    most_aligned: float = 0.25
    least_liver_share: float = 0.25
