"""Known models: the one that is shipped, and those that were added."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

import platformdirs

from glisson.errors import InvalidBundle, ModelError, ModelNotFound, UnsafeModel
from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.export import fill_folder
from glisson.model.safety import is_torchscript, looks_pickled, refuse_code, unpack_zip
from glisson.model.spec import SPEC_FILE, safe_name
from glisson.model.torchscript import ScriptFacts, facts_from_wsinfer, fill_from_torchscript


def default_folder() -> Path:
    """Where the shipped model lies."""
    return Path(str(resources.files("glisson.model").joinpath("default")))


def store_folder() -> Path:
    """Where added models lie: `$GLISSON_MODELS`, or the user's data folder."""
    chosen = os.environ.get("GLISSON_MODELS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("glisson")) / "models"


def list_models() -> list[ModelBundle]:
    """Every model that can be used, the shipped one first; broken ones are left out."""
    added = store_folder()
    folders = [default_folder()]
    folders += sorted(p for p in added.iterdir() if p.is_dir()) if added.is_dir() else []
    return [bundle for folder in folders if (bundle := _loaded(folder)) is not None]


def _loaded(folder: Path) -> ModelBundle | None:
    try:
        return load_bundle(folder)
    except ModelError:
        return None


def find_model(name_or_path: str | Path | None = None) -> ModelBundle:
    """A model by folder or by name; None is the shipped one.

    Raises:
        ModelNotFound: no such model; names those that there are.
        ModelError: it is there and cannot be used.
    """
    if name_or_path is None:
        return load_bundle(default_folder())
    if (Path(name_or_path) / SPEC_FILE).is_file() or Path(name_or_path).is_dir():
        return _without_code(load_bundle(name_or_path))
    known = {bundle.spec.name: bundle for bundle in list_models()}
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    if safe_name(str(name_or_path)) == str(name_or_path):
        folder = store_folder() / str(name_or_path)
        if folder.is_dir():
            return load_bundle(folder)
    raise ModelNotFound(
        f"There is no model {name_or_path}. Known: {', '.join(known) or 'none'}. "
        "Give one of these, a bundle's folder, or add one with `glisson models add`."
    )


def _without_code(bundle: ModelBundle) -> ModelBundle:
    """TorchScript runs code, so it has to be added first: that is where somebody trusts it."""
    added = bundle.folder.resolve().is_relative_to(store_folder().resolve())
    if bundle.spec.architecture.family == "torchscript" and not added:
        raise UnsafeModel(
            f"{bundle.folder} holds TorchScript, which is code. If you trust whoever made it: "
            f"glisson models add {bundle.folder}, then --model {bundle.spec.name}."
        )
    return bundle


def add_model(
    path: str | Path, name: str | None = None, config: str | Path | None = None
) -> ModelBundle:
    """Add a bundle (folder or .zip) or a TorchScript file to the store.

    Args:
        path: a bundle's folder, a .zip of one, or a TorchScript file.
        name: what to call it; the file's name if None.
        config: a WSInfer `config.json` for the TorchScript file. One that lies beside it is
            found; without any, the file is taken to be the published HOTSPoT model.

    Raises:
        ModelNotFound: no such file.
        UnsafeModel: a pickle, or names that lead out of the bundle.
        InvalidBundle: not a model.
        WrongClasses: not three classes.
    """
    path = Path(path)
    if not path.exists():
        raise ModelNotFound(f"{path} does not exist. Check the name and the folder.")
    if path.is_dir():
        return _copy_bundle(load_bundle(path), name)
    if is_torchscript(path):
        return _add_script(path, name, config)
    if looks_pickled(path):
        refuse_code(path)
    if zipfile.is_zipfile(path):
        return _add_zip(path, name)
    raise InvalidBundle(
        f"{path} is not a model: give a bundle's folder, a .zip of one, or a TorchScript file."
    )


def _add_script(path: Path, name: str | None, config: str | Path | None) -> ModelBundle:
    beside = path.with_name("config.json")
    chosen = Path(config) if config is not None else (beside if beside.is_file() else None)
    facts = facts_from_wsinfer(chosen) if chosen is not None else ScriptFacts()
    fill = partial(_fill_script, path, name, facts)
    return _put(safe_name(name or path.stem), fill)


def _fill_script(path: Path, name: str | None, facts: ScriptFacts, folder: Path) -> None:
    fill_from_torchscript(path, folder, name, facts)


def _add_zip(path: Path, name: str | None) -> ModelBundle:
    with tempfile.TemporaryDirectory(prefix="glisson-zip-") as folder:
        return _copy_bundle(load_bundle(unpack_zip(path, Path(folder))), name)


def _copy_bundle(bundle: ModelBundle, name: str | None) -> ModelBundle:
    def fill(folder: Path) -> None:
        for file in (SPEC_FILE, *bundle.spec.files):
            shutil.copyfile(bundle.folder / file, folder / file)

    return _put(safe_name(name or bundle.spec.name), fill)


def _put(name: str, fill: Callable[[Path], None]) -> ModelBundle:
    """Fill a folder of the store; it appears whole and verified, or not at all."""

    def checked(folder: Path) -> None:
        fill(folder)
        load_bundle(folder)

    fill_folder(store_folder() / name, checked)
    return load_bundle(store_folder() / name)
