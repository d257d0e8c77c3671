"""A model bundle on disk, verified before anything in it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glisson.errors import InvalidBundle, ModelNotFound
from glisson.files.hashing import hash_file
from glisson.model.safety import (
    check_safetensors,
    find_inside,
    is_torchscript,
    read_small,
    refuse_code,
    refuse_outside_weights,
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
        folder: the folder of its files.
    """

    spec: ModelSpec
    folder: Path

    def self_test_tile(self) -> NDArray[np.uint8]:
        """Read the self-test's input, (H, W, 3) uint8."""
        tile = _read_array(self.folder / self.spec.self_test.input)
        if tile.dtype != np.uint8 or tile.ndim != 3 or tile.shape[2] != 3:
            raise InvalidBundle(f"{self.folder}: the self-test's input is not (H, W, 3) uint8.")
        return tile

    def self_test_expected(self) -> NDArray[np.float32]:
        """Read the self-test's probabilities, (C, H, W) float32."""
        return _read_array(self.folder / self.spec.self_test.expected).astype(np.float32)


def load_bundle(folder: str | Path) -> ModelBundle:
    """Verify and open a bundle. Nothing in it is unpickled or run.

    A TorchScript bundle (only `add_model` makes one) holds code. This function hashes the code;
    the torch runtime runs it later through `torch.jit.load`.

    Raises:
        ModelNotFound: the folder does not exist.
        InvalidBundle: a file is missing, has another hash, or does not parse.
        UnsafeModel: a file is a pickle, or a name leads out of the folder.
        WrongClasses: the classes are not those of `glisson.classes`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelNotFound(f"There is no model folder at {folder}.")
    text = read_small(find_inside(folder, SPEC_FILE))
    spec = parse_spec(text, str(folder / SPEC_FILE))
    _check_list(spec, folder)
    _check_files(spec, folder)
    return ModelBundle(spec, folder)


def _check_list(spec: ModelSpec, folder: Path) -> None:
    """Reject a model.json that lists no hash of a file that the model needs."""
    is_script = spec.architecture.is_torchscript
    weights = (TORCHSCRIPT_FILE,) if is_script else (WEIGHTS_FILE, ONNX_FILE)
    needed = (*weights, spec.self_test.input, spec.self_test.expected)
    missing = [name for name in needed if name not in spec.files]
    if missing:
        raise InvalidBundle(f"{folder / SPEC_FILE} lists no {', '.join(missing)} under files.")


def _check_files(spec: ModelSpec, folder: Path) -> None:
    """Reject missing, unsafe and changed files; files that nobody listed must be safe too."""
    for name in spec.files:
        find_inside(folder, name)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        _check_content(spec, find_inside(folder, path.relative_to(folder).as_posix()))
    for name, expected in spec.files.items():
        if hash_file(folder / name) != expected:
            raise InvalidBundle(
                f"{folder / name} was changed: its SHA-256 is not the one in model.json. "
                "Copy or download the bundle again."
            )


def _check_content(spec: ModelSpec, path: Path) -> None:
    allows_script = spec.architecture.is_torchscript and path.name == TORCHSCRIPT_FILE
    if not (allows_script and is_torchscript(path)):
        refuse_code(path)
    if path.name == WEIGHTS_FILE:
        check_safetensors(path)
    if path.name == ONNX_FILE:
        refuse_outside_weights(path)


def _read_array(path: Path) -> NDArray[Any]:
    """Read a .npy file by mapping it: a header may state more than the file holds."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive of arrays")
        return np.array(array)
    except Exception as error:  # numpy reads headers with Python's parser, which raises its own
        raise InvalidBundle(f"{path} is not a plain numpy array: {error}") from error
