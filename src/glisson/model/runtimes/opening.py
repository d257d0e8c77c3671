"""Open a model in a runtime, at once or in a thread of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from glisson.errors import GlissonError, InvalidBundle, SettingsError
from glisson.model.bundle import ModelBundle
from glisson.model.runtimes.base import Precision, Probabilities, Runtime, RuntimeKind, Tiles
from glisson.model.runtimes.self_test import check_self_test


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
        device: torch device such as `cuda`; None for the best of this machine.

    Raises:
        SelfTestFailed: the output differs from the bundle's by more than its tolerance.
        InvalidBundle: the bundle's files do not make a model that runs.
        SettingsError: the runtime cannot run this bundle.
        MissingExtra: torch is needed and not installed.
    """
    check_runs(bundle, kind)
    try:
        runtime: Runtime
        if kind == "torch" or bundle.spec.architecture.is_torchscript:
            from glisson.model.runtimes.on_torch import TorchRuntime

            runtime = TorchRuntime(bundle, device, threads)
        else:
            from glisson.model.runtimes.on_openvino import OpenVinoRuntime

            runtime = OpenVinoRuntime(bundle, precision, threads)
        check_self_test(bundle, runtime)
    except (GlissonError, MemoryError):
        raise
    except Exception as error:  # OpenVINO and torch raise RuntimeError, and much else
        raise InvalidBundle(
            f"{bundle.folder} cannot be run: {str(error)[:500]}. Its files do not make a model "
            "together; copy or download the bundle again."
        ) from error
    return runtime


def check_runs(bundle: ModelBundle, kind: RuntimeKind) -> None:
    """Reject a runtime that cannot run the bundle, before anything is opened.

    Raises:
        SettingsError: the runtime cannot run this bundle.
    """
    if kind == "openvino" and bundle.spec.architecture.is_torchscript:
        raise SettingsError(
            f"{bundle.spec.name} is TorchScript, which OpenVINO does not run; use --runtime torch."
        )


class OpeningRuntime:
    """A runtime that a thread opens; the first call waits for it.

    Opening takes most of a second, in which the caller can look for tissue. The first call, and
    every later one, raises the errors of opening.
    """

    def __init__(
        self, bundle: ModelBundle, kind: RuntimeKind, precision: Precision, threads: int | None
    ) -> None:
        check_runs(bundle, kind)
        opener = ThreadPoolExecutor(1, thread_name_prefix="open-model")
        self._future = opener.submit(open_runtime, bundle, kind, precision, threads)
        opener.shutdown(wait=False)

    @property
    def name(self) -> str:
        """See `Runtime.name`."""
        return self._future.result().name

    @property
    def workers(self) -> int:
        """See `Runtime.workers`."""
        return self._future.result().workers

    @property
    def windows_a_call(self) -> int:
        """See `Runtime.windows_a_call`."""
        return self._future.result().windows_a_call

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        return self._future.result().predict(tiles)
