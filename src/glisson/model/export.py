"""Write a model bundle from a trained network. Needs the `train` extra."""

from __future__ import annotations

import copy
import datetime
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glisson.errors import InvalidBundle, MissingExtra, OutputError, WrongClasses
from glisson.model.bundle import (
    CARD_FILE,
    EXPECTED_FILE,
    INPUT_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    ModelBundle,
    load_bundle,
)
from glisson.model.networks import describe_network
from glisson.model.safety import sha256
from glisson.model.spec import (
    CLASS_NAMES,
    SPEC_FILE,
    ModelSpec,
    Normalisation,
    SelfTest,
    TractEvidence,
    Windows,
)

logger = logging.getLogger(__name__)

OPSET = 18
_ONNX_TOLERANCE = 1e-3


def write_bundle(
    model: Any,
    folder: str | Path,
    *,
    name: str,
    version: str,
    mpp: float,
    window_px: int,
    normalisation: Normalisation,
    licence: str,
    trained_on: str,
    intended_use: str,
    self_test_tile: NDArray[np.uint8],
    card: str,
    overwrite: bool = False,
    min_tract_probability: float = 0.0,
    tract_evidence: TractEvidence | None = None,
    windows: Windows | None = None,
) -> ModelBundle:
    """Write a network as a bundle: fp16 safetensors, ONNX, self-test and card.

    The weights are rounded to fp16 first, so that both files describe the same numbers. The
    folder appears complete or not at all; `model` itself is not changed.

    Args:
        model: a network of `FAMILIES` with the three classes.
        folder: where the bundle goes.
        name: what `--model` will call it.
        version: of the weights.
        mpp: µm/px of its input.
        window_px: side of the windows it was trained on.
        normalisation: bytes to the network's input.
        licence: of the weights.
        trained_on: the training data, in words.
        intended_use: what it is for, in words.
        self_test_tile: (H, W, 3) uint8, sides that are multiples of 32.
        card: the model card, Markdown.
        overwrite: replace a bundle that is there.
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: what else makes a portal area a tract.
        windows: measured best on whole slides, where they differ from those of training.

    Raises:
        MissingExtra: torch, transformers or onnx is not installed.
        WrongClasses: the model has not three classes.
        OutputError: the folder exists and `overwrite` is False.
        InvalidBundle: the ONNX file does not repeat torch's output.
    """
    _need_extra()
    folder = Path(folder)
    if folder.exists() and not overwrite:
        raise OutputError(f"{folder} exists. Choose another folder, or overwrite=True.")
    if model.config.num_labels != len(CLASS_NAMES):
        raise WrongClasses(f"The model has {model.config.num_labels} classes, not 3.")
    network = _rounded(model)

    def fill(temporary: Path) -> None:
        _write_weights(network, temporary / WEIGHTS_FILE)
        _write_onnx(network, window_px, temporary / ONNX_FILE)
        expected = _probabilities(network, self_test_tile, normalisation)
        np.save(temporary / INPUT_FILE, self_test_tile, allow_pickle=False)
        # half precision is 5e-4 of a probability: far inside the tolerance
        np.save(temporary / EXPECTED_FILE, expected.astype(np.float16), allow_pickle=False)
        (temporary / CARD_FILE).write_text(card, encoding="utf-8")
        spec = ModelSpec(
            name=name,
            version=version,
            classes=CLASS_NAMES,
            mpp=mpp,
            window_px=window_px,
            windows=windows,
            normalisation=normalisation,
            architecture=describe_network(network),
            output_stride=4,
            min_tract_probability=min_tract_probability,
            tract_evidence=tract_evidence or TractEvidence(),
            licence=licence,
            trained_on=trained_on,
            intended_use=intended_use,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            files=hashes(temporary),
            self_test=SelfTest(input=INPUT_FILE, expected=EXPECTED_FILE),
        )
        (temporary / SPEC_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")
        load_bundle(temporary)

    fill_folder(folder, fill)
    return load_bundle(folder)


def fill_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary neighbour, then put it in the folder's place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as parent:
        temporary = Path(parent) / "new"
        temporary.mkdir()
        fill(temporary)
        for file in temporary.iterdir():
            file.chmod(0o644)
        old = Path(parent) / "old"
        if folder.exists():
            folder.rename(old)
        try:
            temporary.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)  # an older bundle is better than none
            raise


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder but model.json."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != SPEC_FILE)
    return {p.name: sha256(p) for p in files}


def _need_extra() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"Writing a bundle needs {error.name}: pip install 'glisson[train]'"
        ) from error


def _rounded(model: Any) -> Any:
    """Copy a network to the CPU in eval mode, with weights rounded to fp16 and held as f32."""
    network = copy.deepcopy(model).cpu().eval().half().float()
    if hasattr(network, "decode_head"):  # a SegFormer as transformers makes it
        from glisson.model.segformer import fold_decoder

        network = fold_decoder(network)
    return network


def _write_weights(network: Any, path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    state = network.state_dict()
    tensors = {
        k: (v.half() if v.dtype == torch.float32 else v).contiguous() for k, v in state.items()
    }
    save_file(tensors, path, metadata={"format": "pt"})


def _write_onnx(network: Any, window_px: int, path: Path) -> None:
    import torch

    any_size = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings(), _only_errors("torch.onnx"):
        # torch's exporter warns about its own internals, and about torchvision, which nobody needs
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _logits_only(network),
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
    without_traces(path)
    _check_onnx(network, path, window_px)


def without_traces(path: Path) -> None:
    """Take out of an ONNX file what the exporter notes of this machine: code, and its paths."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


@contextmanager
def _only_errors(name: str) -> Iterator[None]:
    """Keep a library's logger from the terminal for a while."""
    noisy = logging.getLogger(name)
    before = noisy.level
    noisy.setLevel(logging.ERROR)
    try:
        yield
    finally:
        noisy.setLevel(before)


def _logits_only(network: Any) -> Any:
    import torch

    class Logits(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:
            return self.network(pixel_values=pixel_values).logits

    return Logits().eval()


def _check_onnx(network: Any, path: Path, window_px: int) -> None:
    """Compare the file's logits with torch's, for two batches and sizes."""
    import openvino
    import torch

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


def _probabilities(network: Any, tile: NDArray[np.uint8], norm: Normalisation) -> NDArray[Any]:
    import torch
    from torch.nn import functional

    values = (tile.astype(np.float32) * norm.scale - norm.mean) / norm.std
    pixels = torch.from_numpy(values.astype(np.float32).transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        logits = network(pixel_values=pixels).logits
    full = functional.interpolate(logits, tile.shape[:2], mode="bilinear", align_corners=False)
    result: NDArray[Any] = full.softmax(dim=1)[0].numpy()
    return result
