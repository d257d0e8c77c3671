"""Write a model bundle from a trained network. Needs the `train` extra."""

from __future__ import annotations

import copy
import datetime
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glisson.errors import InvalidBundle, MissingExtra, OutputError, WrongClasses
from glisson.files.hashing import hash_file
from glisson.model.bundle import (
    CARD_FILE,
    EXPECTED_FILE,
    INPUT_FILE,
    ONNX_FILE,
    TORCHSCRIPT_FILE,
    WEIGHTS_FILE,
    ModelBundle,
    load_bundle,
)
from glisson.model.networks.families import describe_network, find_family
from glisson.model.networks.tensors import compute_probabilities
from glisson.model.spec import (
    CLASS_NAMES,
    SPEC_FILE,
    Architecture,
    ModelFacts,
    ModelSpec,
    Normalisation,
    SelfTest,
)

logger = logging.getLogger(__name__)

OPSET = 18
_ONNX_TOLERANCE = 1e-3


def write_bundle(
    network: Any,
    folder: str | Path,
    facts: ModelFacts,
    self_test_tile: NDArray[np.uint8],
    *,
    overwrite: bool = False,
) -> ModelBundle:
    """Write a network as a bundle: fp16 safetensors, ONNX, self-test and card.

    The function first rounds a copy of the weights to fp16, so that both files describe the same
    numbers. The folder appears complete or not at all.

    Args:
        network: a network of `FAMILIES` with the three classes.
        folder: the bundle's folder.
        facts: the description of the model.
        self_test_tile: (H, W, 3) uint8, sides that are multiples of 32.
        overwrite: replace an existing bundle.

    Raises:
        MissingExtra: torch, transformers or onnx is not installed.
        WrongClasses: the network does not have three classes.
        OutputError: the folder exists and `overwrite` is False.
        InvalidBundle: the ONNX file does not repeat torch's output.
    """
    _require_extra()
    folder = Path(folder)
    if folder.exists() and not overwrite:
        raise OutputError(f"{folder} exists. Choose another folder, or overwrite=True.")
    if network.config.num_labels != len(CLASS_NAMES):
        raise WrongClasses(f"The model has {network.config.num_labels} classes, not 3.")
    network = copy.deepcopy(network).cpu().eval().half().float()
    network = find_family(network)[1].simplify(network)

    def fill(temporary: Path) -> None:
        _write_weights(network, temporary / WEIGHTS_FILE)
        _write_onnx(network, facts.window_px, temporary / ONNX_FILE)
        expected = _predict(network, self_test_tile, facts.normalisation)
        write_self_test(temporary, self_test_tile, expected)
        write_description(temporary, facts, describe_network(network), output_stride=4)
        load_bundle(temporary)

    fill_folder(folder, fill)
    return load_bundle(folder)


def write_self_test(folder: Path, tile: NDArray[np.uint8], expected: NDArray[np.float32]) -> None:
    """Write the tile, (H, W, 3), and the probabilities, (C, H, W), of the self-test."""
    np.save(folder / INPUT_FILE, tile, allow_pickle=False)
    # half precision is 5e-4 of a probability: far inside the tolerance
    np.save(folder / EXPECTED_FILE, expected.astype(np.float16), allow_pickle=False)


def write_description(
    folder: Path, facts: ModelFacts, architecture: Architecture, output_stride: Literal[1, 4]
) -> None:
    """Write the model card and model.json, with the hashes of all other files of the folder."""
    if facts.card:
        (folder / CARD_FILE).write_text(facts.card, encoding="utf-8")
    paths = sorted(p for p in folder.iterdir() if p.is_file() and p.name != SPEC_FILE)
    hashes = {path.name: hash_file(path) for path in paths}
    weights = TORCHSCRIPT_FILE if architecture.is_torchscript else WEIGHTS_FILE
    spec = ModelSpec(
        name=facts.name,
        version=facts.version or hashes[weights][:12],
        classes=CLASS_NAMES,
        mpp=facts.mpp,
        window_px=facts.window_px,
        windows=facts.windows,
        normalisation=facts.normalisation,
        architecture=architecture,
        output_stride=output_stride,
        min_tract_probability=facts.min_tract_probability,
        tract_evidence=facts.tract_evidence,
        licence=facts.licence,
        trained_on=facts.trained_on,
        intended_use=facts.intended_use,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        files=hashes,
        self_test=SelfTest(input=INPUT_FILE, expected=EXPECTED_FILE),
    )
    (folder / SPEC_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")


def fill_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary neighbour, then move the neighbour to `folder`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as parent:
        temporary = Path(parent) / "new"
        temporary.mkdir()
        fill(temporary)
        old = Path(parent) / "old"
        if folder.exists():
            folder.rename(old)
        try:
            temporary.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)  # an older bundle is better than no bundle
            raise


def _require_extra() -> None:
    try:
        for package in ("onnx", "onnxscript", "torch", "transformers"):
            import_module(package)
    except ImportError as error:
        raise MissingExtra(
            f"Writing a bundle needs {error.name}: pip install 'glisson[train]'"
        ) from error


def _write_weights(network: Any, path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {
        key: (value.half() if value.dtype == torch.float32 else value).contiguous()
        for key, value in network.state_dict().items()
    }
    save_file(tensors, path, metadata={"format": "pt"})


def _write_onnx(network: Any, window_px: int, path: Path) -> None:
    """Write an ONNX file for any size, from normalised pixels to logits, and check it."""
    import torch

    class Logits(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:
            return self.network(pixel_values=pixel_values).logits

    any_size = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings(), _silence("torch.onnx"):
        # torch's exporter warns about its own internals, and about torchvision, which nobody needs
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits().eval(),
            (torch.zeros(2, 3, window_px, window_px),),
            path,
            dynamo=True,
            dynamic_shapes={"pixel_values": {0: any_size, 2: any_size, 3: any_size}},
            opset_version=OPSET,
            input_names=["pixel_values"],
            output_names=["logits"],
            external_data=False,
            verbose=False,
        )
    strip_machine_notes(path)
    _check_onnx(network, path, window_px)


def strip_machine_notes(path: Path) -> None:
    """Remove the exporter's notes of this machine (code and its paths) from an ONNX file."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


@contextmanager
def _silence(name: str) -> Iterator[None]:
    """Hide a library's warnings from the terminal for a while."""
    noisy = logging.getLogger(name)
    before = noisy.level
    noisy.setLevel(logging.ERROR)
    try:
        yield
    finally:
        noisy.setLevel(before)


def _check_onnx(network: Any, path: Path, window_px: int) -> None:
    """Compare the file's logits with torch's, for two batches and sizes."""
    import torch

    from glisson.model.runtimes.quiet_openvino import openvino

    core = openvino.Core()
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(path), "CPU", hint)
    for shape in ((1, 3, window_px, window_px), (2, 3, 96, 64)):
        tiles = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(pixel_values=tiles).logits.numpy()
        worst = float(np.abs(compiled(tiles.numpy())[0] - expected).max())
        logger.info("ONNX against torch for %s: largest difference %.2g", shape, worst)
        if worst > _ONNX_TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise InvalidBundle(f"The ONNX file differs from torch by {worst:.2g} for {shape}.")


def _predict(network: Any, tile: NDArray[np.uint8], norm: Normalisation) -> NDArray[np.float32]:
    import torch

    pixels = torch.from_numpy(norm.normalise(tile[None]))
    with torch.no_grad():
        logits = network(pixel_values=pixels).logits
    probabilities: NDArray[np.float32] = compute_probabilities(logits, tile.shape[:2])[0].numpy()
    return probabilities
