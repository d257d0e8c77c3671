"""Checks of a runtime against the output that the bundle recorded, and against glass."""

from __future__ import annotations

import logging

import numpy as np

from glisson.classes import BACKGROUND
from glisson.errors import SelfTestFailed
from glisson.model.bundle import ModelBundle
from glisson.model.runtimes.base import Runtime

logger = logging.getLogger(__name__)


def check_self_test(bundle: ModelBundle, runtime: Runtime) -> float:
    """Return the largest difference of a probability from the bundle's expected output.

    Raises:
        SelfTestFailed: the difference is larger than the bundle allows.
    """
    test = bundle.spec.self_test
    found = runtime.predict(bundle.self_test_tile()[None])[0]
    expected = bundle.self_test_expected()
    if found.shape != expected.shape:
        raise SelfTestFailed(
            f"{bundle.spec.name} on {runtime.name} gives an output of shape {found.shape}; "
            f"the bundle recorded {expected.shape}."
        )
    worst = float(np.abs(found - expected).max())
    is_reduced = "16" in runtime.name  # bf16 or fp16
    allowed = test.reduced_tolerance if is_reduced else test.tolerance
    logger.info("%s on %s: self-test differs by %.2g", bundle.spec.name, runtime.name, worst)
    if worst > allowed:
        raise SelfTestFailed(
            f"{bundle.spec.name} on {runtime.name} differs from its own recorded output by "
            f"{worst:.3g}; the bundle allows {allowed:g}. Try --precision f32 or another --runtime."
        )
    return worst


def measure_background_on_glass(bundle: ModelBundle, runtime: Runtime) -> float:
    """Return the mean background probability of an empty white window: near 1 if all is well."""
    side = bundle.spec.window_px
    glass = np.full((1, side, side, 3), 245, np.uint8)
    return float(runtime.predict(glass)[0, BACKGROUND.index].mean())
