"""The model on the processor, through OpenVINO."""

from __future__ import annotations

import threading
from typing import Any, Literal

import numpy as np
import openvino
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from glisson.model.bundle import ONNX_FILE, ModelBundle
from glisson.model.runtime import Probabilities, Tiles, padded_to

_SIDE_MULTIPLE = 32
_CLASSES = 3


class OpenVinoRuntime:
    """Bytes in, probabilities out: normalisation, upsampling and softmax are in the graph."""

    def __init__(
        self, bundle: ModelBundle, precision: Literal["f32", "bf16"], threads: int | None = None
    ) -> None:
        self.name = f"openvino {precision}"
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        self._model = openvino.Core().compile_model(whole_graph(bundle), "CPU", options)
        self._requests = threading.local()

    def predict(self, tiles: Tiles) -> Probabilities:
        """See `Runtime.predict`."""
        height, width = tiles.shape[1:3]
        if len(tiles) == 0:
            return np.zeros((0, _CLASSES, height, width), np.float32)
        padded = np.ascontiguousarray(padded_to(tiles, _SIDE_MULTIPLE))
        result = self._request().infer([padded], share_inputs=True)
        return np.array(result[0][:, :, :height, :width], dtype=np.float32)

    def _request(self) -> Any:
        """One inference request for each thread: a request is not shared."""
        if not hasattr(self._requests, "request"):
            self._requests.request = self._model.create_infer_request()
        return self._requests.request


def whole_graph(bundle: ModelBundle) -> Any:
    """The ONNX graph with bytes at one end and probabilities at full size at the other."""
    graph = openvino.Core().read_model(bundle.folder / ONNX_FILE)
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
