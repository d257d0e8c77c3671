"""What may lie in a bundle: plain files, no code, nothing outside the folder."""

from __future__ import annotations

import hashlib
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
"""How ONNX writes the key of where weights lie that are not in the file itself."""
_ZIP_ERRORS = (
    zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What `zipfile` raises for archives that are damaged, encrypted or oddly packed."""


def sha256(path: Path) -> str:
    """Hash of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_inside(folder: Path, name: str) -> Path:
    """The file `name` of a bundle.

    Raises:
        UnsafeModel: the name or a link leads out of the folder.
        InvalidBundle: there is no such file.
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
    """A file of at most 16 MiB, as model.json is.

    Raises:
        InvalidBundle: it is larger.
    """
    with path.open("rb") as file:
        data = file.read(_SMALL_BYTES + 1)
    if len(data) > _SMALL_BYTES:
        raise InvalidBundle(f"{path} has more than {_SMALL_BYTES >> 20} MiB; it is no such file.")
    return data


def refuse_outside_weights(path: Path) -> None:
    """Refuse an ONNX file whose weights lie in other files, wherever they may be.

    Raises:
        UnsafeModel: it names other files.
    """
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if _OUTSIDE_WEIGHTS in last + chunk:
                raise UnsafeModel(
                    f"{path} takes weights from other files. Save it with its weights inside."
                )
            last = chunk[-len(_OUTSIDE_WEIGHTS) :]


def is_plain_name(name: str) -> bool:
    """Whether a name stays in its folder, on every operating system."""
    parts = PurePosixPath(name).parts
    risky = "\\" in name or ":" in name or name.startswith("/") or not name.isprintable()
    return bool(parts) and not risky and ".." not in parts


def refuse_code(path: Path) -> None:
    """Refuse a file that is, or wraps, a pickle.

    Raises:
        UnsafeModel: says which file and what to use instead.
    """
    if path.suffix.lower() in PICKLE_SUFFIXES or looks_pickled(path):
        raise UnsafeModel(
            f"{path} is a Python pickle, which can run any code when loaded. "
            "Save the weights as safetensors instead."
        )


def looks_pickled(path: Path) -> bool:
    """Whether the content is a pickle or a zip that holds one, whatever the name."""
    with path.open("rb") as file:
        head = file.read(2)
    # protocol 2 to 5 start with 0x80 and the protocol's number; old torch.save files too
    if len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and not _is_safetensors(path):
        return True
    return zipfile.is_zipfile(path) and any(n.endswith(".pkl") for n in _zip_names(path))


def is_torchscript(path: Path) -> bool:
    """Whether a zip archive is TorchScript: it carries code and constants beside its data."""
    if not zipfile.is_zipfile(path):
        return False
    names = [PurePosixPath(n).parts[1:] for n in _zip_names(path)]
    return ("constants.pkl",) in names and any(n[:1] == ("code",) for n in names)


def check_safetensors(path: Path) -> None:
    """Refuse a safetensors file whose header is not what the format allows.

    Raises:
        InvalidBundle: header too long, not JSON, or offsets outside the file.
    """
    if not _is_safetensors(path):
        raise InvalidBundle(f"{path} is not a valid safetensors file.")


def unpack_zip(path: Path, folder: Path) -> Path:
    """Unpack a zipped bundle into `folder`; returns the folder that holds model.json.

    Raises:
        UnsafeModel: an entry leads outside, is a link, or the whole is too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(path, archive.infolist())
            archive.extractall(folder)
    except _ZIP_ERRORS as error:
        raise InvalidBundle(f"{path} cannot be unpacked: {error}. Download it again.") from error
    return _bundle_root(path, folder)


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if sum(e.file_size for e in entries) > ZIP_LIMIT_BYTES or len(entries) > 1000:
        raise UnsafeModel(f"{path} unpacks to more than {ZIP_LIMIT_BYTES} bytes.")
    for entry in entries:
        if not is_plain_name(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeModel(f"{path}: the entry {entry.filename!r} leads out of the bundle.")


def _bundle_root(path: Path, folder: Path) -> Path:
    found = [p for p in (folder, *folder.iterdir()) if (p / "model.json").is_file()]
    if not found:
        raise InvalidBundle(f"{path} holds no model.json.")
    return found[0]


def _zip_names(path: Path) -> list[str]:
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
        return _is_header(file.read(length), size - 8 - length)


def _is_header(text: bytes, data_bytes: int) -> bool:
    try:
        header = json.loads(text)
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False
    return all(isinstance(e, int) and 0 <= e <= data_bytes for e in ends)
