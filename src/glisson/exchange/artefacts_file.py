"""Outlines of artefacts, for QuPath."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glisson.artefacts import Artefact
from glisson.exchange.geojson import Drawn, GeoJsonFrame, write_annotations_geojson
from glisson.slides import SlideInfo
from glisson.version import __version__

ARTEFACTS_FILE = "artefacts.geojson"
"""Beside a slide's outlines."""


def write_artefacts_geojson(
    path: Path, artefacts: Sequence[Artefact], info: SlideInfo, frame: GeoJsonFrame = "qupath"
) -> None:
    """Write one locked annotation an artefact, of classes such as `Artefact: fold`.

    Raises:
        OutputError: as `write_annotations_geojson`.
    """
    drawn = [
        Drawn(
            name=f"{each.kind.label} ({each.handling.value})",
            class_name=each.kind.qupath_name,
            colour=each.kind.colour,
            outline_l0=each.outline_l0,
            locked=True,
        )
        for each in artefacts
    ]
    write_annotations_geojson(path, drawn, info, f"Glisson {__version__}", frame)
