"""Published slides, training and model files of the paper beside those of a rerun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from glisson.dataset import SYNTHETIC, Split, TileRow, summarize_splits
from glisson.model import Exported
from glisson.pages import Table
from glisson_phantom import DIAGNOSES, SITES, TEST_DIAGNOSES, TRAINING_DIAGNOSES, Case

if TYPE_CHECKING:
    from glisson.training.progress import Progress

_PAPER_TILES = {
    (1.0, Split.TRAIN): 43_470, (1.0, Split.VALIDATION): 10_868, (1.0, Split.TEST): 8_789,
    (2.0, Split.TRAIN): 22_558, (2.0, Split.VALIDATION): 5_639, (2.0, Split.TEST): 4_611,
}  # fmt: skip
_PAPER_CLASSES = {
    Split.TRAIN: ("17", "71", "12"),
    Split.VALIDATION: ("17", "71", "12"),
    Split.TEST: ("28", "61", "11"),
}


def sites_table(cases: Sequence[Case]) -> Table:
    """Tabulate institutions and scanners (Table 3)."""
    slides = Counter(case.site for case in cases if case.role != "clinical")
    rows = tuple(
        (
            site.institution,
            site.scanner_name,
            "Test" if site.role == "test" else "TV",
            str(site.slides),
            site.suffix,
            site.magnification,
            f"{site.mpp:.4f}",
            str(slides[key]),
        )
        for key, site in SITES.items()
    )
    return Table(
        "table-3",
        "Table 3. Institutions and scanners as published, and the slides drawn for each",
        ("", "Scanner", "Set", "Slides, paper", "Format", "Magnification", "µm/px", "Slides here"),
        rows,
        f"TV: training and validation. {SYNTHETIC}",
    )


def cases_table(cases: Sequence[Case]) -> Table:
    """Tabulate diagnoses, age and sex of the patients, by set."""
    test = sum((Counter(kinds) for kinds in TEST_DIAGNOSES.values()), Counter())
    ours = {role: _count_diagnoses(cases, role) for role in ("train", "test")}
    rows = tuple(
        (
            DIAGNOSES[key].name,
            str(count),
            str(ours["train"][key]),
            str(test[key]),
            str(ours["test"][key]),
        )
        for key, count in TRAINING_DIAGNOSES.items()
    )
    return Table(
        "cases",
        "Patients by diagnosis",
        ("", "TV, paper", "TV here", "Test, paper", "Test here"),
        rows,
        f"{_describe_patients(cases)} The paper: 59.64 % women, age 50.2 (8 to 85). Its Table 2 "
        "lists 17 autoimmune hepatitis cases in the test set, its text and Table 3 sixteen; this "
        "study has sixteen.",
    )


def _count_diagnoses(cases: Sequence[Case], role: str) -> Counter[str]:
    patients = {c.patient: c.settings.diagnosis or "" for c in cases if c.role == role}
    return Counter(patients.values())


def _describe_patients(cases: Sequence[Case]) -> str:
    patients = list({case.patient: case for case in cases if case.role == "train"}.values())
    ages = [case.age for case in patients]
    women = sum(case.sex == "F" for case in patients) / len(patients)
    return (
        f"Here: {len(patients)} training patients, {women:.1%} women, age {np.mean(ages):.1f} "
        f"({min(ages)} to {max(ages)})."
    )


def classes_table(rows: Sequence[TileRow], mpp: float) -> Table:
    """Tabulate tiles and shares of the classes in each split."""
    shown = tuple(
        (
            str(d.split),
            _paper_tiles(mpp, d.split),
            str(d.tiles),
            str(d.slides),
            str(d.patients),
            *_interleave(_PAPER_CLASSES[d.split], d.shares),
        )
        for d in summarize_splits(rows)
    )
    classes = ("Background", "Lobule", "Portal")
    shares = [f"{name} %{source}" for name in classes for source in (", paper", "")]
    return Table(
        f"classes-{mpp:g}um",
        f"Tiles and classes, {mpp:g} µm/px",
        ("", "Tiles, paper", "Tiles", "Slides", "Patients", *shares),
        shown,
        f"{SYNTHETIC} The paper does not say at which µm/px its shares were counted, and they "
        "cannot hold at both.",
    )


def _paper_tiles(mpp: float, split: Split) -> str:
    count = _PAPER_TILES.get((mpp, split))
    return "–" if count is None else str(count)


def _interleave(published: Sequence[str], shares: Sequence[float]) -> tuple[str, ...]:
    pairs = zip(published, (f"{100 * share:.1f}" for share in shares), strict=True)
    return tuple(cell for pair in pairs for cell in pair)


def training_table(runs: Mapping[str, Progress]) -> Table:
    """Tabulate epochs and time of each training run, by name."""
    ours = [
        (
            name,
            str(len(run.history)),
            str(run.best_epoch),
            f"{run.seconds / 60:.1f} min",
            f"{run.seconds / 60 / max(1, len(run.history)):.2f} min",
        )
        for name, run in runs.items()
    ]
    paper = ("Paper, GTX 1070", "49 of at most 100", "–", "10.6 h", "13.1 min")
    return Table(
        "training",
        "Training",
        ("", "Epochs", "Best epoch", "Time", "Time an epoch"),
        (paper, *ours),
        "The paper does not say at which µm/px. Its model stopped early, by validation loss.",
    )


def exports_table(exports: Mapping[str, Sequence[Exported]]) -> Table:
    """Tabulate the size of each model file and its distance from the trained model."""
    rows = tuple(
        (
            f"{model.format} ({name})",
            f"{model.size_mb:.1f}" if model.path else "not kept",
            f"{model.largest_difference:.1e}",
            f"{model.same_class:.3%}",
        )
        for name, models in exports.items()
        for model in models
    )
    return Table(
        "exports",
        "Exported models against the trained one",
        ("", "MB", "Largest difference of a probability", "Pixels that keep their class"),
        (("TorchScript (paper)", "about 15", "–", "–"), *rows),
        "On tiles outside the training split (SYNTHETIC). int8 is kept only where it changes next "
        "to nothing.",
    )
