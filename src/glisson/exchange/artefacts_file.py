"""Outlines of artefacts, for QuPath."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glisson.artefacts import Artefact
from glisson.exchange.geojson import GeoJsonFrame, NewAnnotation, write_annotations_geojson
from glisson.slides import SlideInfo
from glisson.version import __version__

ARTEFACTS_FILE = "artefacts.geojson"
"""Beside a slide's outlines."""


def write_artefacts_geojson(
    path: Path, artefacts: Sequence[Artefact], info: SlideInfo, frame: GeoJsonFrame = "qupath"
) -> None:
    """Write a locked annotation for each artefact, of classes such as `Artefact: fold`.

    Raises:
        OutputError, OutlineError: as `write_annotations_geojson`.
    """
    annotations = [
        NewAnnotation(
            name=f"{artefact.kind.label} ({artefact.handling.value})",
            class_name=artefact.kind.qupath_name,
            colour=artefact.kind.colour,
            outline_l0=artefact.outline_l0,
            locked=True,
        )
        for artefact in artefacts
    ]
    write_annotations_geojson(path, annotations, info, f"Glisson {__version__}", frame)
