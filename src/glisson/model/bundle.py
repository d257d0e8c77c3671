"""A model bundle on disk, verified before anything in it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glisson.errors import InvalidBundle, ModelNotFound
from glisson.model.safety import (
    check_safetensors,
    is_torchscript,
    path_inside,
    read_small,
    refuse_code,
    refuse_outside_weights,
    sha256,
)
from glisson.model.spec import SPEC_FILE, ModelSpec, parse_spec

WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.onnx"
TORCHSCRIPT_FILE = "model.pt"
CARD_FILE = "MODEL_CARD.md"
INPUT_FILE = "self_test_input.npy"
EXPECTED_FILE = "self_test_expected.npy"


@dataclass(frozen=True)
class ModelBundle:
    """A verified bundle.

    Attributes:
        spec: the contents of model.json.
        folder: where its files lie.
    """

    spec: ModelSpec
    folder: Path

    def self_test_tile(self) -> NDArray[np.uint8]:
        """The self-test's input, (H, W, 3) uint8."""
        tile = _array(self.folder / self.spec.self_test.input)
        if tile.dtype != np.uint8 or tile.ndim != 3 or tile.shape[2] != 3:
            raise InvalidBundle(f"{self.folder}: the self-test's input is not (H, W, 3) uint8.")
        return tile

    def self_test_expected(self) -> NDArray[np.float32]:
        """The self-test's probabilities, (C, H, W) float32."""
        return _array(self.folder / self.spec.self_test.expected).astype(np.float32)


def load_bundle(folder: str | Path) -> ModelBundle:
    """Verify and open a bundle. Nothing in it is unpickled or run.

    A TorchScript bundle (made by `add_model` alone) holds code: it is only hashed here, and
    run later by the torch runtime through `torch.jit.load`.

    Raises:
        ModelNotFound: no such folder.
        InvalidBundle: a file is missing, has another hash, or does not parse.
        UnsafeModel: a pickle, or a name that leads out of the folder.
        WrongClasses: not the three classes of `glisson.classes`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelNotFound(f"There is no model folder at {folder}.")
    text = read_small(path_inside(folder, SPEC_FILE))
    spec = parse_spec(text, str(folder / SPEC_FILE))
    _check_listed(spec, folder)
    _check_files(spec, folder)
    return ModelBundle(spec, folder)


def _check_listed(spec: ModelSpec, folder: Path) -> None:
    is_script = spec.architecture.family == "torchscript"
    weights = (TORCHSCRIPT_FILE,) if is_script else (WEIGHTS_FILE, ONNX_FILE)
    needed = (*weights, spec.self_test.input, spec.self_test.expected)
    missing = [name for name in needed if name not in spec.files]
    if missing:
        raise InvalidBundle(f"{folder / SPEC_FILE} lists no {', '.join(missing)} under files.")


def _check_files(spec: ModelSpec, folder: Path) -> None:
    for name in spec.files:
        path_inside(folder, name)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        _check_content(spec, path_inside(folder, path.relative_to(folder).as_posix()))
    for name, expected in spec.files.items():
        if sha256(folder / name) != expected:
            raise InvalidBundle(
                f"{folder / name} was changed: its SHA-256 is not the one in model.json. "
                "Copy or download the bundle again."
            )


def _check_content(spec: ModelSpec, path: Path) -> None:
    allowed = spec.architecture.family == "torchscript" and path.name == TORCHSCRIPT_FILE
    if not (allowed and is_torchscript(path)):
        refuse_code(path)
    if path.name == WEIGHTS_FILE:
        check_safetensors(path)
    if path.name == ONNX_FILE:
        refuse_outside_weights(path)


def _array(path: Path) -> NDArray[Any]:
    """Mapped, not read: a header may ask for more than the file holds."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive of arrays")
        return np.array(array)
    except Exception as error:  # numpy reads headers with Python's parser, which raises its own
        raise InvalidBundle(f"{path} is not a plain numpy array: {error}") from error
