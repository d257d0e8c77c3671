"""An annotated slide whose every pixel is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from glisson.dataset import AnnotatedSlide
from tests.scenes import GLASS, LOBULE, PORTAL

MPP = 1.0
SIDE = 640
TISSUE_PX = (64, 64, 576, 576)
TRACTS_PX = ((128, 128, 200, 220), (300, 400, 420, 470))


def box(x: float, y: float, right: float, bottom: float) -> dict:
    ring = [[x, y], [right, y], [right, bottom], [x, bottom], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(class_name: str | None, geometry: dict) -> dict:
    properties: dict = {"objectType": "annotation"}
    if class_name is not None:
        properties["classification"] = {"name": class_name, "color": [1, 2, 3]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def features(portal: str = "Portal tract") -> list[dict]:
    return [
        feature("Tissue", box(*TISSUE_PX)),
        *(feature(portal, box(*tract)) for tract in TRACTS_PX),
    ]


def true_labels() -> np.ndarray:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    for value, (x, y, right, bottom) in ((1, TISSUE_PX), *((2, each) for each in TRACTS_PX)):
        labels[y:bottom, x:right] = value
    return labels


def write_slide(folder: Path, name: str = "a", found: list[dict] | None = None, **block) -> Path:
    """A PNG slide of flat colours with its GeoJSON beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.array([GLASS, LOBULE, PORTAL], np.uint8)[true_labels()]
    Image.fromarray(picture).save(folder / f"{name}.png")
    document = {"type": "FeatureCollection", "features": features() if found is None else found}
    if block:
        document["glisson"] = block
    (folder / f"{name}.geojson").write_text(json.dumps(document))
    return folder / f"{name}.png"


def source(path: Path, **facts) -> AnnotatedSlide:
    facts = {"patient": path.stem, "mpp": MPP, **facts}
    return AnnotatedSlide(path, path.with_suffix(".geojson"), **facts)
