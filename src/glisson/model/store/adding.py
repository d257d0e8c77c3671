"""Add a bundle or a TorchScript file to the store."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from glisson.errors import InvalidBundle, ModelNotFound, OutputError, SettingsError
from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.safety import is_pickle, is_torchscript, refuse_code, unpack_zip
from glisson.model.spec import SPEC_FILE, ModelFacts, check_windows, make_safe_name
from glisson.model.store.catalogue import recognise_file
from glisson.model.store.folders import (
    find_store_folder,
    load_known_folder,
    read_shipped_name,
    rename_spec,
)
from glisson.model.store.torchscript import fill_from_torchscript, read_wsinfer_facts
from glisson.model.writing import fill_folder


def add_model(
    path: str | Path,
    name: str | None = None,
    config: str | Path | None = None,
    overwrite: bool = False,
) -> ModelBundle:
    """Add a bundle (folder or .zip) or a TorchScript file to the store.

    Args:
        path: a bundle's folder, a zipped bundle, or a TorchScript file.
        name: name of the added model; the bundle's own name, or the file's, if None.
        config: a WSInfer `config.json` for the TorchScript file; None for the one beside it. The
            file of a known model, byte for byte, needs none.
        overwrite: replace an added model of the same name.

    Raises:
        ModelNotFound: the file does not exist.
        SettingsError: the name holds more than letters, digits, `.`, `_` and `-`, or nothing
            says what a TorchScript file is.
        UnsafeModel: the file is a pickle, or names lead out of the bundle.
        InvalidBundle: the file is not a model, or its windows are no multiple of 32 px.
        WrongClasses: the model does not have the three classes.
        OutputError: a known model has that name.
    """
    path = Path(path)
    if not path.exists():
        raise ModelNotFound(f"{path} does not exist. Check the name and the folder.")
    if name is not None and make_safe_name(name) != name:
        raise SettingsError(
            f"A model cannot be called {name}: a name is of letters, digits, '.', '_' and '-', "
            f"such as {make_safe_name(name)}."
        )
    if path.is_dir():
        return _add_bundle(load_bundle(path), name, overwrite)
    if is_torchscript(path):
        facts = _find_facts(path, name or make_safe_name(path.stem), config)
        return add_script(path, facts, overwrite)
    if is_pickle(path):
        refuse_code(path)
    if zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory(prefix="glisson-zip-") as folder:
            return _add_bundle(load_bundle(unpack_zip(path, Path(folder))), name, overwrite)
    raise InvalidBundle(
        f"{path} is not a model: give a bundle's folder, a .zip of one, or a TorchScript file."
    )


def _find_facts(path: Path, name: str, config: str | Path | None) -> ModelFacts:
    """Find the facts of a TorchScript file in its config, or by the content of a known model."""
    neighbour = path.with_name("config.json")
    if config is not None or neighbour.is_file():
        return read_wsinfer_facts(Path(config or neighbour), name)
    known = recognise_file(path)
    if known is None:
        raise SettingsError(
            f"{path} does not say what it is: a TorchScript file holds neither its µm/px nor its "
            "classes. Put its WSInfer config.json beside it, or give --config FILE."
        )
    return known.describe(path, name)


def add_script(path: Path, facts: ModelFacts, overwrite: bool = False) -> ModelBundle:
    """Add a TorchScript file, which is code and runs here once.

    Raises:
        UnsafeModel: the file is a plain pickle, not TorchScript.
        InvalidBundle: the network does not run.
        WrongClasses: the network gives another number of classes.
        OutputError: a known model has that name.
    """
    check_windows(facts.window_px, facts.windows, str(path))
    return _put(facts.name, lambda folder: fill_from_torchscript(path, folder, facts), overwrite)


def _add_bundle(bundle: ModelBundle, name: str | None, overwrite: bool) -> ModelBundle:
    spec = rename_spec(bundle.spec, name or make_safe_name(bundle.spec.name))

    check_windows(spec.window_px, spec.windows, str(bundle.folder))

    def copy_files(folder: Path) -> None:
        for file in spec.files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.folder / file, folder / file)
        (folder / SPEC_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")

    return _put(spec.name, copy_files, overwrite)


def _put(name: str, fill: Callable[[Path], None], overwrite: bool) -> ModelBundle:
    """Fill a folder of the store; it appears whole and verified, or not at all."""
    _check_free(name, overwrite)

    def fill_and_verify(folder: Path) -> None:
        fill(folder)
        load_bundle(folder)

    fill_folder(find_store_folder() / name, fill_and_verify)
    return load_known_folder(find_store_folder() / name)


def _check_free(name: str, overwrite: bool) -> None:
    """Reject the name of a known model; some file systems ignore case."""
    store = find_store_folder()
    folders = store.iterdir() if store.is_dir() else ()
    same = [path.name for path in folders if path.name.casefold() == name.casefold()]
    if name.casefold() == read_shipped_name().casefold():
        raise OutputError(f"{name} is the name of the shipped model. Choose another with --name.")
    if same and not (overwrite and same == [name]):
        raise OutputError(
            f"There is a model {same[0]} already, in {store}. Choose another name with "
            f"--name, or replace it with --overwrite (and --name {same[0]})."
        )
