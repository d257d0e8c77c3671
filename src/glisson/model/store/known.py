"""Download a known model, check its content, and add it to the store."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from glisson.errors import InvalidBundle, ModelNotFound, OutputError, SettingsError, StorageError
from glisson.model.bundle import TORCHSCRIPT_FILE, ModelBundle
from glisson.model.networks.tensors import import_torch
from glisson.model.store.adding import add_script
from glisson.model.store.catalogue import KnownModel, check_content, find_known_model
from glisson.model.store.download import Progress, download
from glisson.model.store.folders import find_added
from glisson.storage.url import Url, parse_place


def is_added(known: KnownModel) -> bool:
    """Return True if the store holds a known model, and that very file.

    Raises:
        OutputError: the store holds another model of that name.
        ModelError: the store's copy cannot be used.
    """
    bundle = find_added(known.name)
    if bundle is None:
        return False
    file = bundle.folder / TORCHSCRIPT_FILE
    if not file.is_file() or known.list_differences(file):
        raise OutputError(
            f"{bundle.folder} holds another model of the name {known.name}. Move that folder "
            "away, then run again."
        )
    return True


def add_known_model(
    name: str,
    *,
    accept_licence: bool = False,
    source: str | Path | Url | None = None,
    progress: Progress | None = None,
) -> ModelBundle:
    """Download a known model, check its content, and add it to the store.

    TorchScript is code. The function checks the content before it runs anything of it, and runs
    the very copy that it checked.

    Args:
        name: a name of `read_known_models`.
        accept_licence: True if you accept the model's licence (`KnownModel.licence`).
        source: a mirror's address or a file of this machine; an address that ends with `/`, or a
            folder, holds the file by its own name. None for the authors' address.
        progress: progress callback of the download.

    Raises:
        ModelNotFound: no known model has that name.
        SettingsError: the licence is not accepted, or the source is no address and no file.
        MissingExtra: torch is not installed.
        StorageError: the download fails.
        InvalidBundle: the content is not that of the known model.
        OutputError: the store cannot be written, or holds another model of that name.
    """
    known = find_known_model(name)
    if is_added(known) and (bundle := find_added(name)) is not None:
        return bundle
    if not accept_licence:
        raise SettingsError(
            f"{name} was not added: its licence was not accepted ({known.licence.summary}). "
            f"Read it at {known.licence.url}; glisson models add {name} --accept-licence accepts."
        )
    import_torch()  # before anything is downloaded
    with tempfile.TemporaryDirectory(prefix="glisson-model-") as folder:
        file = Path(folder) / known.file_name
        origin = parse_place(source if source is not None else known.url)
        if isinstance(origin, Path):
            _copy(origin / known.file_name if origin.is_dir() else origin, file, known)
        else:
            _download(origin, file, known, progress)
        check_content(file, known)
        return add_script(file, known.describe(file, name))


def _download(url: Url, target: Path, known: KnownModel, progress: Progress | None) -> None:
    address = url / known.file_name if url.address.endswith("/") else url
    try:
        download(address, target, known.most_bytes, progress)
    except StorageError as error:
        raise type(error)(
            f"{error} Or download {known.url} where you can, and give the file: "
            f"glisson models add {known.name} --from FILE."
        ) from None


def _copy(source: Path, target: Path, known: KnownModel) -> None:
    if not source.is_file():
        raise ModelNotFound(f"{source} does not exist. Check the name and the folder.")
    if source.stat().st_size > known.most_bytes:
        raise InvalidBundle(
            f"{source} has more than {known.most_bytes} bytes, so it is not {known.name}. "
            f"Download {known.url} again."
        )
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{source} cannot be copied: {error.strerror or error}.") from error
