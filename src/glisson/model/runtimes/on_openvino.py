"""The model on the processor, through OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from glisson.model.bundle import ONNX_FILE, ModelBundle
from glisson.model.runtimes.base import Precision, Probabilities, Tiles, pad_to_multiple
from glisson.model.runtimes.graph_cache import compile_cached
from glisson.model.runtimes.quiet_openvino import openvino
from glisson.threads import available_threads

ops = openvino.opset13

_SIDE_MULTIPLE = 32
_CLASSES = 3
_MOST_STREAMS = 16
_MOST_SIZES = 4


class OpenVinoRuntime:
    """A graph from bytes to probabilities, with normalisation, upsampling and softmax inside.

    OpenVINO compiles the graph for each size of tile: with fixed sizes it lays the tensors out
    once and does not reorder them between operations (two thirds of the time, measured). A thread
    computes a whole tile, so that no thread waits for another in the middle of a tile.
    """

    windows_a_call = 1

    def __init__(
        self,
        bundle: ModelBundle,
        precision: Precision = "auto",
        threads: int | None = None,
    ) -> None:
        self._core = openvino.Core()
        if precision == "auto":
            is_native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bf16" if is_native else "f32"  # emulated, bf16 is slower than f32
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
        padded = np.ascontiguousarray(pad_to_multiple(tiles, _SIDE_MULTIPLE))
        compute = self._find_size(padded.shape[1], padded.shape[2])
        tile_batches = [padded[number : number + 1] for number in range(len(padded))]
        if len(tile_batches) == 1:
            found = compute(tile_batches[0])
        else:
            found = np.concatenate(list(self._pool.map(compute, tile_batches)))
        return found[:, :, :height, :width]

    def _find_size(self, height: int, width: int) -> Callable[[Tiles], Probabilities]:
        with self._lock:
            if (height, width) not in self._compiled:
                if len(self._compiled) == _MOST_SIZES:
                    del self._compiled[next(iter(self._compiled))]
                self._compiled[height, width] = self._compile(height, width)
            return self._compiled[height, width]

    def _compile(self, height: int, width: int) -> Callable[[Tiles], Probabilities]:
        def build() -> openvino.Model:
            graph = build_graph(self._bundle, self._core)
            graph.reshape([1, height, width, 3])
            return graph

        model = compile_cached(self._core, self._bundle, (height, width), self._options, build)
        local = threading.local()  # threads must not share a request

        def compute(tile: Tiles) -> Probabilities:
            if not hasattr(local, "request"):
                local.request = model.create_infer_request()
            result = local.request.infer([tile], share_inputs=True)
            return np.array(result[0], dtype=np.float32)

        return compute


def build_graph(bundle: ModelBundle, core: Any = None) -> Any:
    """Build the graph from bytes to probabilities at full size round the bundle's ONNX file."""
    graph = (core or openvino.Core()).read_model(bundle.folder / ONNX_FILE)
    logits = graph.get_results()[0].input_value(0)
    image = graph.input(0).get_node()
    if bundle.spec.output_stride != 1:
        sides = ops.gather(ops.shape_of(image), ops.constant([2, 3]), ops.constant(0))
        logits = ops.interpolate(
            logits,
            sides,
            "linear_onnx",
            "sizes",
            coordinate_transformation_mode="half_pixel",
            axes=ops.constant([2, 3]),
        )
    steps = openvino.preprocess.PrePostProcessor(
        openvino.Model([ops.softmax(logits, 1)], [image], "glisson")
    )
    norm, entry = bundle.spec.normalisation, steps.input()
    entry.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    entry.model().set_layout(openvino.Layout("NCHW"))
    entry.preprocess().convert_element_type(openvino.Type.f32)
    entry.preprocess().mean([value / norm.scale for value in norm.mean])
    entry.preprocess().scale([value / norm.scale for value in norm.std])
    return steps.build()
