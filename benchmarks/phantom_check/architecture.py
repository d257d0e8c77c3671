"""Measurements of cores and tracts on the outlines of planned studies, without drawing."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely

from glisson_phantom import PhantomBiopsy, plan_biopsy, plan_cohort


def measure_plans(count: int) -> dict[str, np.ndarray]:
    """Measure about `count` slides of the paper's cohort: values by target."""
    found: dict[str, list[float]] = defaultdict(list)
    cases = plan_cohort("paper")
    for case in cases[:: max(1, len(cases) // count)]:
        for name, value in _measure_plan(plan_biopsy(case.settings)).items():
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}


def _measure_plan(biopsy: PhantomBiopsy) -> dict[str, float]:
    layout = biopsy.layout
    tissue = shapely.union_all([shapely.Polygon(c.outline_um).buffer(0) for c in layout.cores])
    shapely.prepare(tissue)
    tracts = [
        shapely.union_all([shapely.Polygon(p).buffer(0) for p in t.polygons_um]) & tissue
        for t in layout.tracts
    ]
    septa = [shapely.Polygon(s.polygon_um).buffer(0) & tissue for s in layout.septa]
    area_mm2 = tissue.area * 1e-6
    length_mm = biopsy.centreline_length_mm
    found = {
        "core width mm": area_mm2 / length_mm,
        "core length mm": length_mm / biopsy.settings.ribbons,
    }
    if biopsy.disease.stage < 3:
        found["portal profiles per mm²"] = sum(t.area > 300 for t in tracts) / area_mm2
    share = shapely.union_all([*tracts, *septa]).area * 1e-6 / area_mm2
    return found | {f"portal fraction, stage {biopsy.disease.stage}": share}
