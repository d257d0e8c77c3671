"""Can a classifier tell phantoms from real liver? Split by image, so that it cannot memorise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score

from benchmarks.phantom_check import measures
from benchmarks.phantom_check.fields import Field

_COLOUR_WORDS = ("OD R", "OD G", "OD B", "R / G", "B / G", "vector", "cytoplasm")


@dataclass(frozen=True)
class Realness:
    """How well phantoms are told from real fields.

    Attributes:
        auc: mean area under the curve over the splits; 0.5 is chance.
        telling: measurements that give phantoms away, the most telling first.
        easiest: sources of the phantom fields most surely recognised.
    """

    auc: float
    telling: tuple[str, ...]
    easiest: tuple[str, ...]


def describe(field: Field) -> dict[str, float]:
    """All measurements of a field."""
    small = measures.at_1um(field.rgb)
    grey = small.astype(np.float32).mean(axis=2)
    found = measures.colours(field) | measures.cells(field)
    found |= measures.texture(small, 1.0) | measures.band_powers(small, 1.0)
    for low, high in ((1, 10), (25, 50), (90, 99)):
        a, b = np.percentile(grey, (low, high))
        found[f"grey {low} to {high} %"] = float(b - a)
    found.pop("fat droplet diameter µm")
    return found


def tell_apart(real: dict[str, list[Field]], phantoms: list[Field], texture_only: bool) -> Realness:
    """Train on one real image and half of the phantoms, test on the other; both ways."""
    names = list(real)
    keys = [k for k in describe(phantoms[0]) if not (texture_only and _is_colour(k))]
    tables = {name: _table(real[name], keys) for name in names}
    halves = [phantoms[::2], phantoms[1::2]]
    phantom_tables = [_table(half, keys) for half in halves]
    aucs, importance, surely = [], np.zeros(len(keys)), []
    for first, second in ((0, 1), (1, 0)):
        model = RandomForestClassifier(400, class_weight="balanced", random_state=0)
        model.fit(*_labelled(tables[names[first]], phantom_tables[first]))
        x, y = _labelled(tables[names[second]], phantom_tables[second])
        score = model.predict_proba(x)[:, 1]
        aucs.append(roc_auc_score(y, score))
        drop = permutation_importance(model, x, y, scoring="roc_auc", n_repeats=5, random_state=0)
        importance += drop.importances_mean
        real_score = score[y == 0]
        surely += list(zip(real_score, [f.source for f in halves[second]], strict=True))
    best = np.argsort(-importance)[:6]
    return Realness(
        float(np.mean(aucs)),
        tuple(keys[k] for k in best),
        tuple(source for _, source in sorted(surely)[:8]),
    )


def _is_colour(key: str) -> bool:
    return any(word in key for word in _COLOUR_WORDS)


def _table(fields: list[Field], keys: list[str]) -> np.ndarray:
    rows = [[describe(field)[key] for key in keys] for field in fields]
    return np.nan_to_num(np.array(rows), nan=-1.0)


def _labelled(real: np.ndarray, phantom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([real, phantom]), np.repeat([1, 0], [len(real), len(phantom)])
