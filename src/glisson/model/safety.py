"""Checks of a bundle's files: plain files, no code, nothing outside the folder."""

from __future__ import annotations

import json
import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from glisson.errors import InvalidBundle, UnsafeModel

PICKLE_SUFFIXES = frozenset({".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"})
ZIP_LIMIT_BYTES = 2 * 1024**3
_HEADER_LIMIT_BYTES = 16 * 1024**2
_SMALL_BYTES = 16 * 1024**2
_CHUNK_BYTES = 1 << 24
_OUTSIDE_WEIGHTS = b"\x0a\x08location\x12"
"""ONNX writes this key before the name of another file that holds weights."""
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
)
"""Errors that `zipfile` raises for archives that are damaged, encrypted or oddly packed."""


def find_inside(folder: Path, name: str) -> Path:
    """Return the path of the file `name` of a bundle.

    Raises:
        UnsafeModel: the name or a link leads out of the folder.
        InvalidBundle: the file does not exist.
    """
    if not is_plain_name(name):
        raise UnsafeModel(f"{folder}: the file name {name!r} leads out of the bundle.")
    path = folder / name
    if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
        raise UnsafeModel(f"{path} is a link that leaves the bundle.")
    if not path.is_file():
        raise InvalidBundle(f"{folder}: {name} is missing. Copy or download the bundle again.")
    return path


def read_small(path: Path) -> bytes:
    """Read a file of at most 16 MiB, such as model.json.

    Raises:
        InvalidBundle: the file is larger.
    """
    with path.open("rb") as file:
        data = file.read(_SMALL_BYTES + 1)
    if len(data) > _SMALL_BYTES:
        raise InvalidBundle(f"{path} is larger than {_SMALL_BYTES >> 20} MiB. Check the file.")
    return data


def refuse_outside_weights(path: Path) -> None:
    """Reject an ONNX file whose weights lie in other files.

    Raises:
        UnsafeModel: the file names other files.
    """
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if _OUTSIDE_WEIGHTS in end + chunk:
                raise UnsafeModel(
                    f"{path} takes weights from other files. Save it with its weights inside."
                )
            end = chunk[-len(_OUTSIDE_WEIGHTS) :]


def is_plain_name(name: str) -> bool:
    """Return True if a name stays in its folder, on every operating system."""
    parts = PurePosixPath(name).parts
    risky = "\\" in name or ":" in name or name.startswith("/") or not name.isprintable()
    return bool(parts) and not risky and ".." not in parts


def refuse_code(path: Path) -> None:
    """Reject a file that is, or wraps, a pickle.

    Raises:
        UnsafeModel: names the file and the format to use instead.
    """
    if path.suffix.lower() in PICKLE_SUFFIXES or is_pickle(path):
        raise UnsafeModel(
            f"{path} is a Python pickle, which can run any code when loaded. "
            "Save the weights as safetensors instead."
        )


def is_pickle(path: Path) -> bool:
    """Return True if the content is a pickle or a zip with a pickle, whatever the name."""
    with path.open("rb") as file:
        head = file.read(2)
    # protocols 2 to 5 start with 0x80 and the protocol's number; old torch.save files too
    if len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and not _is_safetensors(path):
        return True
    return zipfile.is_zipfile(path) and any(n.endswith(".pkl") for n in _list_zip(path))


def is_torchscript(path: Path) -> bool:
    """Return True for a zip of TorchScript: it holds code and constants beside its data."""
    if not zipfile.is_zipfile(path):
        return False
    names = [PurePosixPath(n).parts[1:] for n in _list_zip(path)]
    return ("constants.pkl",) in names and any(n[:1] == ("code",) for n in names)


def check_safetensors(path: Path) -> None:
    """Reject a safetensors file whose header the format does not allow.

    Raises:
        InvalidBundle: header too long, not JSON, or offsets outside the file.
    """
    if not _is_safetensors(path):
        raise InvalidBundle(f"{path} is not a valid safetensors file.")


def unpack_zip(path: Path, folder: Path) -> Path:
    """Unpack a zipped bundle into `folder` and return the folder that holds model.json.

    Raises:
        UnsafeModel: an entry leads outside, is a link, or the whole is too large.
        InvalidBundle: the archive is damaged or holds no model.json.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(path, archive.infolist())
            archive.extractall(folder)
    except _ZIP_ERRORS as error:
        raise InvalidBundle(f"{path} cannot be unpacked: {error}. Download it again.") from error
    roots = [p for p in (folder, *folder.iterdir()) if (p / "model.json").is_file()]
    if not roots:
        raise InvalidBundle(f"{path} holds no model.json.")
    return roots[0]


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if sum(e.file_size for e in entries) > ZIP_LIMIT_BYTES or len(entries) > 1000:
        raise UnsafeModel(f"{path} unpacks to more than {ZIP_LIMIT_BYTES} bytes or 1000 files.")
    for entry in entries:
        if not is_plain_name(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeModel(f"{path}: the entry {entry.filename!r} leads out of the bundle.")


def _list_zip(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except _ZIP_ERRORS as error:
        raise InvalidBundle(f"{path} is a damaged archive: {error}. Copy it again.") from error


def _is_safetensors(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _HEADER_LIMIT_BYTES):
            return False
        text = file.read(length)
    try:
        header = json.loads(text)
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False
    return all(isinstance(e, int) and 0 <= e <= size - 8 - length for e in ends)
