"""The model on the processor, through OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import openvino
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from glisson.model.bundle import ONNX_FILE, ModelBundle
from glisson.model.compiled import compiled_graph
from glisson.model.runtime import Probabilities, Tiles, padded_to
from glisson.threads import available_threads

_SIDE_MULTIPLE = 32
_CLASSES = 3
_MOST_STREAMS = 16
_MOST_SIZES = 4


class OpenVinoRuntime:
    """Bytes in, probabilities out: normalisation, upsampling and softmax are in the graph.

    The graph is compiled for each size of tile: with sizes fixed, OpenVINO lays the tensors
    out once instead of reordering them between operations (two thirds of the time, measured). A
    tile is computed by one thread, and as many tiles at once as there are threads: no thread
    waits for another in the middle of a tile.
    """

    windows_a_call = 1

    def __init__(
        self,
        bundle: ModelBundle,
        precision: Literal["auto", "f32", "bf16"] = "auto",
        threads: int | None = None,
    ) -> None:
        self._core = openvino.Core()
        if precision == "auto":
            precision = "bf16" if _computes_bf16(self._core) else "f32"
        self.name = f"openvino {precision}"
        threads = threads or available_threads()
        self.workers = min(threads, _MOST_STREAMS)
        self._options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": self.workers,
        }
        self._bundle = bundle
        self._lock = threading.Lock()
        self._compiled: dict[tuple[int, int], Callable[[Tiles], Probabilities]] = {}
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="predict")

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        height, width = tiles.shape[1:3]
        if len(tiles) == 0:
            return np.zeros((0, _CLASSES, height, width), np.float32)
        padded = np.ascontiguousarray(padded_to(tiles, _SIDE_MULTIPLE))
        compute = self._for_size(padded.shape[1], padded.shape[2])
        one_by_one = [padded[number : number + 1] for number in range(len(padded))]
        if len(one_by_one) == 1:
            found = compute(one_by_one[0])
        else:
            found = np.concatenate(list(self._pool.map(compute, one_by_one)))
        return found[:, :, :height, :width]

    def _for_size(self, height: int, width: int) -> Callable[[Tiles], Probabilities]:
        with self._lock:
            if (height, width) not in self._compiled:
                if len(self._compiled) == _MOST_SIZES:
                    del self._compiled[next(iter(self._compiled))]
                self._compiled[height, width] = self._compile(height, width)
            return self._compiled[height, width]

    def _compile(self, height: int, width: int) -> Callable[[Tiles], Probabilities]:
        def graph() -> openvino.Model:
            whole = whole_graph(self._bundle, self._core)
            whole.reshape([1, height, width, 3])
            return whole

        model = compiled_graph(self._core, self._bundle, (height, width), self._options, graph)
        own = threading.local()

        def compute(tile: Tiles) -> Probabilities:
            """One inference request for each thread: a request is not shared."""
            if not hasattr(own, "request"):
                own.request = model.create_infer_request()
            result = own.request.infer([tile], share_inputs=True)
            return np.array(result[0], dtype=np.float32)

        return compute


def _computes_bf16(core: Any) -> bool:
    """Whether the processor has instructions for it; emulated, it is slower than f32."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def whole_graph(bundle: ModelBundle, core: Any = None) -> Any:
    """The ONNX graph with bytes at one end and probabilities at full size at the other."""
    graph = (core or openvino.Core()).read_model(bundle.folder / ONNX_FILE)
    logits = graph.get_results()[0].input_value(0)
    image = graph.input(0).get_node()
    full = logits
    if bundle.spec.output_stride != 1:
        shape = ops.shape_of(image)
        sides = ops.gather(shape, ops.constant([2, 3]), ops.constant(0))
        full = ops.interpolate(
            logits, sides, "linear_onnx", "sizes", coordinate_transformation_mode="half_pixel",
            axes=ops.constant([2, 3]),
        )  # fmt: skip
    whole = openvino.Model([ops.softmax(full, 1)], [image], "glisson")
    return _with_bytes(whole, bundle)


def _with_bytes(graph: Any, bundle: ModelBundle) -> Any:
    norm = bundle.spec.normalisation
    steps = PrePostProcessor(graph)
    entry = steps.input()
    entry.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    entry.model().set_layout(openvino.Layout("NCHW"))
    entry.preprocess().convert_element_type(openvino.Type.f32)
    entry.preprocess().mean([value / norm.scale for value in norm.mean])
    entry.preprocess().scale([value / norm.scale for value in norm.std])
    return steps.build()
