"""What a new model takes over from the model that it starts from, and what it was trained on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.classes import CLASSES
from glisson.dataset import Split, TileRow, TileSource, summarize_splits
from glisson.dataset.manifest import Distribution
from glisson.dataset.study import UNKNOWN, UNKNOWN_PATIENT
from glisson.model import ModelBundle, TractEvidence, Windows
from glisson.training.network import IMAGENET, RANDOM, find_bundle


@dataclass(frozen=True)
class Inherited:
    """Settings of a model that a model trained from its weights takes over.

    Attributes:
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: what else a tract has to show; None for nothing.
        windows: how whole slides are cut; None for the windows of training.
        note: where they are from, or why they were left out; empty if there are none.
    """

    min_tract_probability: float = 0.0
    tract_evidence: TractEvidence | None = None
    windows: Windows | None = None
    note: str = ""


def inherited_settings(weights: str | None, mpp: float) -> Inherited:
    """Take over the settings of the model that a training starts from.

    A limit on probability is safer than none, so it stays at every pixel size. Windows are in
    pixels, so they stay at the same pixel size alone.

    Args:
        weights: as `glisson train --weights`; only models of Glisson have such settings.
        mpp: µm/px of the new model.
    """
    bundle = find_bundle(weights) if weights else None
    if bundle is None:
        return Inherited()
    spec = bundle.spec
    same_mpp = math.isclose(spec.mpp, mpp, rel_tol=1e-3)
    notes = []
    if spec.min_tract_probability:
        notes.append(
            f"min_tract_probability {spec.min_tract_probability:g} is that of {_name(bundle)}; "
            "nobody has measured it for the new weights."
        )
    if spec.tract_evidence.min_sure_area_um2:
        notes.append(
            f"The evidence of a tract ({spec.tract_evidence.min_sure_area_um2:g} µm² of sure area) "
            f"is that of {_name(bundle)}; nobody has measured it for the new weights."
        )
    if spec.windows is not None:
        sizes = f"{spec.windows.side_px} px with {spec.windows.overlap_px} px of overlap"
        notes.append(
            f"The windows ({sizes}) are those of {_name(bundle)}."
            if same_mpp
            else f"The windows of {_name(bundle)} ({sizes}) were left out: they were chosen at "
            f"{spec.mpp:g} µm/px, and this model sees {mpp:g}."
        )
    windows = spec.windows if same_mpp else None
    return Inherited(spec.min_tract_probability, spec.tract_evidence, windows, " ".join(notes))


def describe_data(source: TileSource, stated: str | None = None) -> str:
    """Say in a line what a run trains on: slides, patients, institutions, tiles, labels.

    Slides and patients have no names there, for the line travels with the model.

    Args:
        source: the tiles.
        stated: what those who train say of their data.
    """
    splits = {each.split: each for each in summarize_splits(source.rows)}
    training, validation = splits.get(Split.TRAIN), splits.get(Split.VALIDATION)
    rows = [row for row in source.rows if row.split is Split.TRAIN]
    if training is None or not rows:
        return stated or "No tiles of training."
    labels = ", ".join(
        f"{c.name} {share:.1%}" for c, share in zip(CLASSES, training.shares, strict=True)
    )
    parts = [
        # A source of a script need not say it.
        "SYNTHETIC." if getattr(source, "synthetic", False) else "",
        f"{stated.rstrip('. ')}." if stated else "",
        f"{_slides(rows)}: {_count(training.tiles, 'tile')} of {rows[0].size_px} px at "
        f"{rows[0].mpp:g} µm/px, of whose annotated pixels {labels}.",
        _validated(validation) if validation else "",
    ]
    return " ".join(filter(None, parts))


def describe_start(weights: str | None) -> str:
    """Say which weights a run starts from, and on what those were trained."""
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


def _slides(rows: Sequence[TileRow]) -> str:
    """Say of how many slides tiles are; bare tiles name no slide."""
    patients = {row.patient for row in rows} - {UNKNOWN_PATIENT}
    if not patients:
        return "Tiles that name no slides"
    slides = len({row.slide for row in rows})
    return f"{_count(slides, 'slide')} of {_count(len(patients), 'patient')}{_institutions(rows)}"


def _institutions(rows: Sequence[TileRow]) -> str:
    of_slides = {row.slide: " ".join(row.institution.split()) or UNKNOWN for row in rows}
    counts = Counter(of_slides.values())
    if set(counts) == {UNKNOWN}:
        return ", institutions not stated"
    return f" ({', '.join(f'{name} {count}' for name, count in sorted(counts.items()))})"


def _validated(split: Distribution) -> str:
    slides = f" of {_count(split.slides, 'slide')}" if split.patients else ""
    return f"Validated on {_count(split.tiles, 'tile')}{slides}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
