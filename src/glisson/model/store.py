"""Known models: the one that is shipped, and those that were added."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import platformdirs

from glisson.errors import (
    InvalidBundle,
    ModelError,
    ModelNotFound,
    OutputError,
    SettingsError,
    UnsafeModel,
)
from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.export import fill_folder
from glisson.model.safety import (
    is_torchscript,
    looks_pickled,
    path_inside,
    read_small,
    refuse_code,
    unpack_zip,
)
from glisson.model.spec import SPEC_FILE, ModelSpec, parse_spec, safe_name
from glisson.model.torchscript import ScriptFacts, facts_from_wsinfer, fill_from_torchscript

logger = logging.getLogger(__name__)


def default_folder() -> Path:
    """Where the shipped model lies."""
    return Path(str(resources.files("glisson.model").joinpath("default")))


def store_folder() -> Path:
    """Where added models lie: `$GLISSON_MODELS`, or the user's data folder."""
    chosen = os.environ.get("GLISSON_MODELS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("glisson")) / "models"


def list_models() -> list[ModelBundle]:
    """List every model that can be used, the shipped one first; broken ones are left out."""
    added = store_folder()
    folders = [default_folder()]
    if added.is_dir():
        folders += sorted(p for p in added.iterdir() if p.is_dir() and safe_name(p.name) == p.name)
    return [bundle for folder in folders if (bundle := _usable(folder)) is not None]


def _usable(folder: Path) -> ModelBundle | None:
    try:
        return _load(folder)
    except ModelError:
        return None


def _load(folder: Path) -> ModelBundle:
    """Load a known bundle; an added model has the name of its folder, so no two share one."""
    bundle = load_bundle(folder)
    if folder == default_folder():
        return bundle
    return replace(bundle, spec=_rename_spec(bundle.spec, folder.name))


def _rename_spec(spec: ModelSpec, name: str) -> ModelSpec:
    """Rename a model; the name that its makers gave it stays as a fact."""
    if spec.name == name:
        return spec
    return spec.model_copy(update={"name": name, "original_name": spec.original_name or spec.name})


def find_model(name_or_path: str | Path | None = None) -> ModelBundle:
    """Find a model by its name or folder; None is the shipped one.

    The name of a known model means that model, even where the working directory holds a folder
    of the same name (`hidden_folder`). For the folder give `./NAME` or a `Path`.

    Raises:
        ModelNotFound: no such model; names those that there are.
        ModelError: it is there and cannot be used.
    """
    if name_or_path is None:
        return load_bundle(default_folder())
    known = _known_folder(str(name_or_path))
    is_folder = Path(name_or_path).is_dir()
    if known is not None and not (is_folder and isinstance(name_or_path, Path)):
        logger.info("%s is the model in %s", name_or_path, known)
        return _load(known)
    if is_folder:
        return _without_code(load_bundle(name_or_path))
    names = ", ".join(bundle.spec.name for bundle in list_models())
    raise ModelNotFound(
        f"There is no model {name_or_path}. Known: {names or 'none'}. "
        "Give one of these, a bundle's folder, or add one with `glisson models add`."
    )


def find_added(name: str) -> ModelBundle | None:
    """Find a model that was added; None if none has that name.

    Raises:
        ModelError: it is there and cannot be used.
    """
    folder = store_folder() / name
    return _load(folder) if safe_name(name) == name and folder.is_dir() else None


def hidden_folder(name: str | Path | None) -> Path | None:
    """Return the bundle in the working directory that a known model's name hides, if any."""
    if not isinstance(name, str) or not (Path(name) / SPEC_FILE).is_file():
        return None
    known, folder = _known_folder(name), Path(name).resolve()
    return None if known is None or known.resolve() == folder else folder


def _known_folder(name: str) -> Path | None:
    """Return a known model's folder, an added one before the shipped one."""
    added = store_folder() / name
    if safe_name(name) == name and added.is_dir():
        return added
    return default_folder() if name == _read_shipped_name() else None


def _read_shipped_name() -> str:
    file = path_inside(default_folder(), SPEC_FILE)
    return parse_spec(read_small(file), str(file)).name


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
    path: str | Path,
    name: str | None = None,
    config: str | Path | None = None,
    overwrite: bool = False,
) -> ModelBundle:
    """Add a bundle (folder or .zip) or a TorchScript file to the store.

    Args:
        path: a bundle's folder, a .zip of one, or a TorchScript file.
        name: what to call it; the bundle's own name, or the file's, if None.
        config: a WSInfer `config.json` for the TorchScript file. Glisson finds one that lies
            beside it; without any, the file is taken to be the published HOTSPoT model.
        overwrite: replace an added model of the same name.

    Raises:
        ModelNotFound: no such file.
        SettingsError: the name holds more than letters, digits, `.`, `_` and `-`.
        UnsafeModel: a pickle, or names that lead out of the bundle.
        InvalidBundle: not a model.
        WrongClasses: not three classes.
        OutputError: a known model has that name.
    """
    path = Path(path)
    if not path.exists():
        raise ModelNotFound(f"{path} does not exist. Check the name and the folder.")
    if name is not None and safe_name(name) != name:
        raise SettingsError(
            f"A model cannot be called {name}: a name is of letters, digits, '.', '_' and '-', "
            f"such as {safe_name(name)}."
        )
    if path.is_dir():
        return _copy_bundle(load_bundle(path), name, overwrite)
    if is_torchscript(path):
        return _add_described_script(path, name, config, overwrite)
    if looks_pickled(path):
        refuse_code(path)
    if zipfile.is_zipfile(path):
        return _add_zip(path, name, overwrite)
    raise InvalidBundle(
        f"{path} is not a model: give a bundle's folder, a .zip of one, or a TorchScript file."
    )


def _add_described_script(
    path: Path, name: str | None, config: str | Path | None, overwrite: bool
) -> ModelBundle:
    beside = path.with_name("config.json")
    chosen = Path(config) if config is not None else (beside if beside.is_file() else None)
    facts = facts_from_wsinfer(chosen) if chosen is not None else ScriptFacts()
    return add_script(path, safe_name(name or path.stem), facts, overwrite)


def add_script(path: Path, name: str, facts: ScriptFacts, overwrite: bool = False) -> ModelBundle:
    """Add a TorchScript file, which is code and runs here once.

    Raises:
        UnsafeModel: a plain pickle, not TorchScript.
        InvalidBundle: it does not run.
        WrongClasses: it gives another number of classes.
        OutputError: a known model has that name.
    """

    def fill(folder: Path) -> None:
        fill_from_torchscript(path, folder, name, facts)

    return _put(name, fill, overwrite)


def _add_zip(path: Path, name: str | None, overwrite: bool) -> ModelBundle:
    with tempfile.TemporaryDirectory(prefix="glisson-zip-") as folder:
        return _copy_bundle(load_bundle(unpack_zip(path, Path(folder))), name, overwrite)


def _copy_bundle(bundle: ModelBundle, name: str | None, overwrite: bool) -> ModelBundle:
    spec = _rename_spec(bundle.spec, name or safe_name(bundle.spec.name))

    def fill(folder: Path) -> None:
        for file in spec.files:
            shutil.copyfile(bundle.folder / file, folder / file)
        (folder / SPEC_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")

    return _put(spec.name, fill, overwrite)


def _put(name: str, fill: Callable[[Path], None], overwrite: bool) -> ModelBundle:
    """Fill a folder of the store; it appears whole and verified, or not at all."""
    _check_free(name, overwrite)

    def checked(folder: Path) -> None:
        fill(folder)
        load_bundle(folder)

    fill_folder(store_folder() / name, checked)
    return _load(store_folder() / name)


def _check_free(name: str, overwrite: bool) -> None:
    """Refuse a name that a known model has; some file systems see no difference in case."""
    folders = store_folder().iterdir() if store_folder().is_dir() else ()
    same = [path.name for path in folders if path.name.casefold() == name.casefold()]
    if name.casefold() == _read_shipped_name().casefold():
        raise OutputError(f"{name} is the name of the shipped model. Choose another with --name.")
    if same and not (overwrite and same == [name]):
        raise OutputError(
            f"There is a model {same[0]} already, in {store_folder()}. Choose another name with "
            f"--name, or replace it with --overwrite (and --name {same[0]})."
        )
