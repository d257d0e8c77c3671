"""Origin of a new model: the settings and weights that it starts from, and its data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glisson.classes import CLASSES
from glisson.dataset import Split, TileRow, TileSource, summarize_splits
from glisson.dataset.study import UNKNOWN, UNKNOWN_PATIENT
from glisson.model import ModelBundle, TractEvidence, Windows, find_bundle
from glisson.training.network import IMAGENET, RANDOM, find_default_weights, find_licence
from glisson.training.recipe import NOT_STATED, TrainSettings


@dataclass(frozen=True)
class InheritedSettings:
    """Settings that a new model takes over from the model that it starts from.

    Attributes:
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: further evidence that makes a portal area a tract.
        windows: windows of whole slides; None for those of training.
        note: the origin of the settings, or why they were left out; empty if there are none.
    """

    min_tract_probability: float = 0.0
    tract_evidence: TractEvidence = field(default_factory=TractEvidence)
    windows: Windows | None = None
    note: str = ""


def inherit_settings(weights: str | None, mpp: float) -> InheritedSettings:
    """Take over the settings of the model that a training starts from.

    A limit on probability is safer than none, so it stays at every pixel size. Windows are in
    pixels, so they stay at the same pixel size only.

    Args:
        weights: as `glisson train --weights`; only models of Glisson have such settings.
        mpp: µm/px of the new model.
    """
    bundle = find_bundle(weights) if weights else None
    if bundle is None:
        return InheritedSettings()
    spec, name, notes = bundle.spec, _name(bundle), []
    is_same_mpp = math.isclose(spec.mpp, mpp, rel_tol=1e-3)
    if spec.min_tract_probability:
        notes.append(
            f"min_tract_probability {spec.min_tract_probability:g} is that of {name}; "
            "nobody has measured it for the new weights."
        )
    if spec.tract_evidence.min_sure_area_um2:
        notes.append(
            f"The evidence of a tract ({spec.tract_evidence.min_sure_area_um2:g} µm² of sure area) "
            f"is that of {name}; nobody has measured it for the new weights."
        )
    if spec.windows is not None:
        sizes = f"{spec.windows.side_px} px with {spec.windows.overlap_px} px of overlap"
        notes.append(
            f"The windows ({sizes}) are those of {name}."
            if is_same_mpp
            else f"The windows of {name} ({sizes}) were left out: they were chosen at "
            f"{spec.mpp:g} µm/px, and this model sees {mpp:g}."
        )
    return InheritedSettings(
        spec.min_tract_probability,
        spec.tract_evidence,
        spec.windows if is_same_mpp else None,
        " ".join(notes),
    )


def describe_licence(settings: TrainSettings, network: str) -> str:
    """State the licence that a model of this network will carry."""
    parts = [settings.licence] if settings.licence else []
    weights = settings.weights or find_default_weights(network)
    if weights != RANDOM:
        parts.append(f"started from {weights}: {find_licence(weights, network)}")
    return "; ".join(parts) or NOT_STATED


def describe_data(source: TileSource, stated: str | None = None) -> str:
    """Describe the data of a run in a line: slides, patients, institutions, tiles, labels.

    The line travels with the model, so it holds no names of slides or patients.

    Args:
        source: the tiles.
        stated: the description that those who train give.
    """
    splits = {each.split: each for each in summarize_splits(source.rows)}
    training, validation = splits.get(Split.TRAIN), splits.get(Split.VALIDATION)
    rows = [row for row in source.rows if row.split is Split.TRAIN]
    if training is None or not rows:
        return stated or "No tiles of training."
    labels = ", ".join(
        f"{c.name} {share:.1%}" for c, share in zip(CLASSES, training.shares, strict=True)
    )
    of_slides = (
        f" of {_count(validation.slides, 'slide')}" if validation and validation.patients else ""
    )
    parts = [
        # a source in somebody's script may not have the attribute
        "SYNTHETIC." if getattr(source, "synthetic", False) else "",
        f"{stated.rstrip('. ')}." if stated else "",
        f"{_describe_slides(rows)}: {_count(training.tiles, 'tile')} of {rows[0].size_px} px at "
        f"{rows[0].mpp:g} µm/px, of whose annotated pixels {labels}.",
        f"Validated on {_count(validation.tiles, 'tile')}{of_slides}." if validation else "",
    ]
    return " ".join(filter(None, parts))


def describe_start(weights: str | None) -> str:
    """Name the weights that a run starts from, and their training data."""
    if weights in (None, RANDOM):
        return "Started from random weights."
    if weights == IMAGENET:
        return "Started from an encoder pretrained on ImageNet."
    bundle = find_bundle(weights)
    if bundle is None:
        name = Path(weights).resolve().name if Path(weights).exists() else weights
        return f"Started from {name}."
    return f"Started from {_name(bundle)}, trained on: {bundle.spec.trained_on}"


def _name(bundle: ModelBundle) -> str:
    return f"{bundle.spec.name} {bundle.spec.version}"


def _describe_slides(rows: Sequence[TileRow]) -> str:
    """Count slides, patients and institutions; bare tiles name no slide."""
    patients = {row.patient for row in rows} - {UNKNOWN_PATIENT}
    if not patients:
        return "Tiles that name no slides"
    by_slide = {row.slide: " ".join(row.institution.split()) or UNKNOWN for row in rows}
    institutions = Counter(by_slide.values())
    counts = ", ".join(f"{name} {count}" for name, count in sorted(institutions.items()))
    where = ", institutions not stated" if set(institutions) == {UNKNOWN} else f" ({counts})"
    return f"{_count(len(by_slide), 'slide')} of {_count(len(patients), 'patient')}{where}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
