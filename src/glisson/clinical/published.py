"""Published numbers of the paper's clinical series, shown beside those of a study."""

from __future__ import annotations

from dataclasses import dataclass

CITATION = "Cazzaniga et al., npj Digital Medicine 8 (2025), doi 10.1038/s41746-025-01870-1"
_RESULTS = "Results, 'HOTSPoT clinical deployment: biopsy adequacy assessment'"


@dataclass(frozen=True)
class Published:
    """Published number.

    Attributes:
        key: name of the compared number.
        text: printed form.
        source: place in the paper.
        note: caveat of the comparison.
    """

    key: str
    text: str
    source: str
    note: str = ""


PUBLISHED = {
    each.key: each
    for each in (
        Published("cases", "35", _RESULTS, "The diagnoses listed there add up to 32."),
        Published("countable", "26", _RESULTS, "Ludwig stage below 3."),
        Published("model_tract_count", "16.96 ± 6.08", _RESULTS, "n = 26."),
        Published("kappa_model_report", "0.90", _RESULTS,
                  "Weighted; the weights are not named, no interval is given."),
        Published("kappa_model_second", "0.80", _RESULTS, "Likewise."),
        Published("tissue_area_mm2", "19.56 ± 7.88", _RESULTS, "On the whole slide."),
        Published("manual_length_mm", "19.4", _RESULTS, "Printed as 1.94 cm, without SD."),
        Published("area_length", "0.92 (p < 0.001)", _RESULTS, "No interval is given."),
        Published("portal_percent", "13 ± 14", _RESULTS,
                  "Printed as '0.13 ± 0.14 %', which must be a fraction: the paper's own class "
                  "mix is 12 % portal in 83 % tissue."),
        Published("stage_pearson", "0.87 (p < 0.001)", f"{_RESULTS}, and Fig. 3",
                  "No interval is given."),
        Published("stage_difference", "'differed significantly'", _RESULTS,
                  "The test is not named."),
    )
}  # fmt: skip
