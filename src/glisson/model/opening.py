"""A runtime that is opened while something else is done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from glisson.model.bundle import ModelBundle
from glisson.model.runtime import (
    Precision,
    Probabilities,
    Runtime,
    RuntimeKind,
    Tiles,
    check_runs,
    open_runtime,
)


class OpeningRuntime:
    """`open_runtime` in a thread of its own; whoever needs the model first waits for it.

    Opening takes most of a second, in which tissue can be sought. Errors of opening come out of
    whatever is asked of it first, and of everything asked later.
    """

    def __init__(
        self, bundle: ModelBundle, kind: RuntimeKind, precision: Precision, threads: int | None
    ) -> None:
        check_runs(bundle, kind)
        opener = ThreadPoolExecutor(1, thread_name_prefix="open-model")
        self._opened = opener.submit(open_runtime, bundle, kind, precision, threads)
        opener.shutdown(wait=False)

    @property
    def name(self) -> str:
        """See `Runtime.name`."""
        return self._runtime.name

    @property
    def workers(self) -> int:
        """See `Runtime.workers`."""
        return self._runtime.workers

    @property
    def windows_a_call(self) -> int:
        """See `Runtime.windows_a_call`."""
        return self._runtime.windows_a_call

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        return self._runtime.predict(tiles)

    @property
    def _runtime(self) -> Runtime:
        return self._opened.result()
