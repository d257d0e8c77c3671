"""Contact sheets of the phantom for docs/phantom.md: diagnoses, stages, doubles, scanners."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from glisson.classes import CLASSES
from glisson_phantom import DIAGNOSES, SITES, Feature, PhantomBiopsy, PhantomSettings, plan_biopsy
from glisson_phantom.plan.glass import Artefacts, Blur, Stroke

SIDE_UM = 440.0
SHOWN_PX = 300
COLUMNS = 4
Panel = tuple[str, PhantomBiopsy, np.ndarray, Feature | None]
_FEATURE_COLOUR = (60, 200, 230)
_LEAST_TISSUE = {Feature.CLOT: 0.2, Feature.TEAR: 0.6, Feature.CRUSH: 0.4, Feature.CAPSULE: 0.5}


def main() -> None:
    """Draw every sheet into a folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-o", "--out", type=Path, default=Path("docs/images"))
    folder = options.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        for name, panels in (
            ("phantom-diagnoses", plan_diagnoses()),
            ("phantom-stages", plan_stages()),
            ("phantom-doubles", [*plan_lesions(), *plan_artefacts()]),
            ("phantom-scanners", plan_scanners()),
        ):
            shown = list(pool.map(draw, panels))
            write_sheet(folder / f"{name}.jpg", shown)


def plan_diagnoses() -> list[Panel]:
    """Draw a tract of each diagnosis."""
    wanted = [
        (key, PhantomSettings(seed=100 * n, length_mm=6, diagnosis=key, stage=1))
        for n, key in enumerate(DIAGNOSES)
    ]
    return [(DIAGNOSES[key].name, *_find_tract(settings), None) for key, settings in wanted]


def plan_stages() -> list[Panel]:
    """Draw a tract of each fibrosis stage, 0 to 4."""
    return [
        (f"stage {s}", *_find_tract(PhantomSettings(length_mm=6, diagnosis="aih", stage=s)), None)
        for s in range(5)
    ]


def plan_scanners() -> list[Panel]:
    """Draw the same tract by every row of the paper's Table 3."""
    base = PhantomSettings(seed=3, length_mm=6, diagnosis="aih", stage=1)
    by_site = {key: replace(base, site=key, mpp=SITES[key].mpp) for key in SITES}
    return [(key, *_find_tract(settings), None) for key, settings in by_site.items()]


def _find_tract(settings: PhantomSettings) -> tuple[PhantomBiopsy, np.ndarray]:
    """Find the first seed with a whole tract near the middle of the core, and its place."""
    for biopsy in _biopsies(settings):
        line = np.concatenate([core.centreline_um for core in biopsy.layout.cores])
        for tract in biopsy.layout.tracts:
            if np.hypot(*(line - tract.centre_um).T).min() < 120:
                return biopsy, tract.centre_um
    raise AssertionError


def _biopsies(settings: PhantomSettings) -> Iterator[PhantomBiopsy]:
    for seed in range(settings.seed, settings.seed + 200):
        yield plan_biopsy(replace(settings, seed=seed, artefacts=0.0))


def plan_lesions() -> list[Panel]:
    """Find a place of each structure that looks like a tract."""
    places: list[tuple[Feature, str, Callable[[PhantomBiopsy], list[np.ndarray]]]] = [
        (Feature.CENTRAL_VEIN, "normal", lambda b: _veins(b, False)),
        (Feature.SUBLOBULAR_VEIN, "normal", lambda b: _veins(b, True)),
        (Feature.PERIVENULAR_SCAR, "vascular", lambda b: _veins(b, False, 15)),
        (Feature.INFLAMED_LOBULE, "dili", lambda b: list(b.layout.lesions.foci_um[:, :2])),
        (Feature.GRANULOMA, "infectious", lambda b: list(b.layout.lesions.granulomas_um[:, :2])),
        (Feature.NECROSIS, "dili", lambda b: _veins(b, False) if b.disease.necrosis > 0.7 else []),
        (Feature.STEATOSIS, "masld", lambda b: _veins(b, False) if b.disease.fat > 0.4 else []),
        (Feature.CAPSULE, "normal", lambda b: _middles(b.layout.lesions.capsule_um)),
        (Feature.CRUSH, "aih", lambda b: list(b.layout.lesions.crush_um[:, :2])),
        (Feature.TEAR, "normal", lambda b: _middles(b.layout.lesions.tears_um)),
        (Feature.CLOT, "aih", lambda b: _middles(b.layout.lesions.clots_um)),
    ]
    return [(f.title, *_find_place(key, find, f), f) for f, key, find in places]


def _veins(biopsy: PhantomBiopsy, sublobular: bool, scar_um: float = 0.0) -> list[np.ndarray]:
    return [
        vein.profile.centre_um
        for vein in biopsy.layout.central_veins
        if vein.sublobular is sublobular and vein.scar_um >= scar_um
    ]


def _middles(polygons: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    return [polygon.mean(axis=0) for polygon in polygons]


def _find_place(
    diagnosis: str, find: Callable[[PhantomBiopsy], list[np.ndarray]], feature: Feature
) -> tuple[PhantomBiopsy, np.ndarray]:
    """Find the first place near a core that shows the feature well."""
    for biopsy in _biopsies(PhantomSettings(seed=40, length_mm=6, diagnosis=diagnosis, stage=1)):
        line = np.concatenate([core.centreline_um for core in biopsy.layout.cores])
        near = [p for p in find(biopsy) if np.hypot(*(line - p).T).min() < 600]
        for place in near[:3]:
            chunk = biopsy.view(place, SIDE_UM)
            shown = (chunk.features & np.uint32(feature)) > 0
            if shown.mean() > 0.01 and (chunk.labels > 0).mean() > _LEAST_TISSUE.get(feature, 0.8):
                return biopsy, place
    raise AssertionError(diagnosis)


def plan_artefacts() -> list[Panel]:
    """Put artefacts of glass and tissue on a tract."""
    biopsy, place = _find_tract(PhantomSettings(seed=70, length_mm=6, diagnosis="aih", stage=1))
    across = place + np.array([[-150.0, 60.0], [150.0, -40.0]])
    circle = np.append(place, 170.0)[None]
    dust = np.column_stack(
        [
            place + np.random.default_rng(1).uniform(-200, 200, (25, 2)),
            np.random.default_rng(2).uniform(2, 20, 25),
        ]
    )
    kinds = {
        Feature.FOLD: Artefacts(folds=(Stroke(across, 60.0),)),
        Feature.PEN: Artefacts(pens=(Stroke(across, 200.0, (0.25, 0.35, 0.75)),)),
        Feature.DUST: Artefacts(specks_um=dust),
        Feature.BUBBLE: Artefacts(bubbles_um=circle),
        Feature.DEFOCUS: Artefacts(blurs=(Blur(circle[0] * (1, 1, 2), 3.0),)),
        Feature.CHATTER: Artefacts(chatter=0.2, chatter_um=90.0, chatter_angle=0.6),
    }
    return [(f.title, replace(biopsy, artefacts=what), place, f) for f, what in kinds.items()]


def draw(panel: Panel) -> np.ndarray:
    """Draw a title, the image, and the mask below."""
    title, biopsy, place, feature = panel
    chunk = biopsy.view(place, SIDE_UM)
    image = cv2.resize(chunk.pixels, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_AREA)
    colours = np.array([(245, 245, 245), CLASSES[1].colour, CLASSES[2].colour], np.uint8)
    mask = colours[chunk.labels]
    if feature is not None:
        shown = (chunk.features & np.uint32(feature)) > 0
        mask[shown] = _FEATURE_COLOUR
    mask = cv2.resize(mask, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_NEAREST)
    head = np.full((24, SHOWN_PX, 3), 255, np.uint8)
    cv2.putText(head, title, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate([head, image, mask])


def write_sheet(path: Path, panels: list[np.ndarray]) -> None:
    """Write the panels in rows of four, with a frame."""
    framed = [
        cv2.copyMakeBorder(p, 0, 8, 4, 4, cv2.BORDER_CONSTANT, value=(255,) * 3) for p in panels
    ]
    while len(framed) % COLUMNS:
        framed.append(np.full_like(framed[0], 255))
    rows = [np.concatenate(framed[k : k + COLUMNS], axis=1) for k in range(0, len(framed), COLUMNS)]
    sheet = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
