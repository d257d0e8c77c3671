"""What runs a model: one Protocol, checked against the bundle's own output when opened."""

from __future__ import annotations

import logging
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND
from glisson.errors import GlissonError, InvalidBundle, SelfTestFailed, SettingsError
from glisson.model.bundle import ModelBundle

logger = logging.getLogger(__name__)

RuntimeKind = Literal["auto", "openvino", "torch"]
Precision = Literal["auto", "f32", "bf16"]
Tiles = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


class Runtime(Protocol):
    """A model ready to predict. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """What runs it, such as `openvino f32`."""
        ...

    @property
    def workers(self) -> int:
        """Threads worth calling `predict` from, each reading its own windows before."""
        ...

    @property
    def windows_a_call(self) -> int:
        """Windows of the model's own size that one call computes best."""
        ...

    def predict(self, tiles: Tiles) -> Probabilities:
        """(N, H, W, 3) uint8 RGB to (N, 3, H, W) float32 probabilities."""
        ...


def open_runtime(
    bundle: ModelBundle,
    kind: RuntimeKind = "auto",
    precision: Precision = "auto",
    threads: int | None = None,
    device: str | None = None,
) -> Runtime:
    """Make a bundle ready to predict and prove that it repeats its own output.

    Args:
        bundle: a verified bundle.
        kind: `openvino` on the processor, `torch` for GPUs and TorchScript; `auto` takes
            OpenVINO wherever the bundle has an ONNX file.
        precision: `auto` is the fastest that keeps the answer: bf16 where the processor computes
            with it (99.8 % of the shipped model's portal area is the same), f32 elsewhere.
        threads: processor threads; None for all.
        device: torch device such as `cuda`; None for the best there is.

    Raises:
        SelfTestFailed: the output differs from the bundle's by more than its tolerance.
        InvalidBundle: its files do not make a model that runs.
        SettingsError: the runtime cannot run this bundle.
        MissingExtra: torch is needed and not installed.
    """
    try:
        runtime = _runtime(bundle, kind, precision, threads, device)
        check_self_test(bundle, runtime)
    except (GlissonError, MemoryError):
        raise
    except Exception as error:  # OpenVINO and torch raise RuntimeError, and much else
        raise InvalidBundle(
            f"{bundle.folder} cannot be run: {str(error)[:500]}. Its files do not make a model "
            "together; copy or download the bundle again."
        ) from error
    return runtime


def _runtime(
    bundle: ModelBundle,
    kind: RuntimeKind,
    precision: Precision,
    threads: int | None,
    device: str | None,
) -> Runtime:
    check_runs(bundle, kind)
    if kind == "torch" or _is_script(bundle):
        from glisson.model.torch_runtime import TorchRuntime

        return TorchRuntime(bundle, device, threads)
    from glisson.model.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(bundle, precision, threads)


def check_runs(bundle: ModelBundle, kind: RuntimeKind) -> None:
    """Refuse what cannot work, without opening anything.

    Raises:
        SettingsError: the runtime cannot run this bundle.
    """
    if kind == "openvino" and _is_script(bundle):
        raise SettingsError(
            f"{bundle.spec.name} is TorchScript, which OpenVINO does not run; use --runtime torch."
        )


def _is_script(bundle: ModelBundle) -> bool:
    return bundle.spec.architecture.family == "torchscript"


def check_self_test(bundle: ModelBundle, runtime: Runtime) -> float:
    """Largest difference from the bundle's expected output.

    Raises:
        SelfTestFailed: it is larger than the bundle allows.
    """
    test = bundle.spec.self_test
    found = runtime.predict(bundle.self_test_tile()[None])[0]
    expected = bundle.self_test_expected()
    if found.shape != expected.shape:
        raise SelfTestFailed(
            f"{bundle.spec.name} on {runtime.name} gives an output of shape {found.shape}, "
            f"and {expected.shape} was recorded."
        )
    worst = float(np.abs(found - expected).max())
    reduced = "16" in runtime.name  # bf16 or fp16
    allowed = test.reduced_tolerance if reduced else test.tolerance
    logger.info("%s on %s: self-test differs by %.2g", bundle.spec.name, runtime.name, worst)
    if worst > allowed:
        raise SelfTestFailed(
            f"{bundle.spec.name} on {runtime.name} differs from its own recorded output by "
            f"{worst:.3g}, and {allowed:g} is allowed. Try --precision f32 or another --runtime."
        )
    return worst


def glass_is_background(bundle: ModelBundle, runtime: Runtime) -> float:
    """Mean probability of background on an empty white window, 0 to 1: should be near 1."""
    side = bundle.spec.window_px
    glass = np.full((1, side, side, 3), 245, np.uint8)
    return float(runtime.predict(glass)[0, BACKGROUND.index].mean())


def padded_to(tiles: Tiles, multiple: int) -> Tiles:
    """Tiles grown at the right and bottom, by reflection, to a multiple of `multiple` px."""
    height, width = tiles.shape[1:3]
    bottom, right = -height % multiple, -width % multiple
    if not bottom and not right:
        return tiles
    widths = ((0, 0), (0, bottom), (0, right), (0, 0))
    if min(height, width) > max(bottom, right):
        return np.pad(tiles, widths, mode="reflect")
    return np.pad(tiles, widths, mode="edge")
