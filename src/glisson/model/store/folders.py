"""List the shipped and the added models, and find a model by its name or folder."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path

import platformdirs

from glisson.errors import ModelError, ModelNotFound, UnsafeModel
from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.safety import find_inside, read_small
from glisson.model.spec import SPEC_FILE, ModelSpec, make_safe_name, parse_spec

logger = logging.getLogger(__name__)


def find_shipped_folder() -> Path:
    """Return the folder of the shipped model."""
    return Path(str(resources.files("glisson.model").joinpath("default")))


def is_shipped(bundle: ModelBundle) -> bool:
    """Return True for the shipped model, False for those of others, which may do anything."""
    return bundle.folder.resolve() == find_shipped_folder().resolve()


def find_store_folder() -> Path:
    """Return the folder of added models: `$GLISSON_MODELS`, or `models` in the user's data."""
    chosen = os.environ.get("GLISSON_MODELS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("glisson")) / "models"


def read_shipped_name() -> str:
    """Read the name of the shipped model."""
    file = find_inside(find_shipped_folder(), SPEC_FILE)
    return parse_spec(read_small(file), str(file)).name


def list_models() -> list[ModelBundle]:
    """List the shipped model, then the added models; skip models that cannot be used."""
    store, shipped = find_store_folder(), find_shipped_folder()
    names = sorted(path.name for path in store.iterdir()) if store.is_dir() else []
    found = dict.fromkeys([shipped, *filter(None, map(_find_known_folder, names))])
    folders = [folder for folder in found if folder.is_dir()]
    bundles = []
    for folder in folders:
        try:
            bundles.append(load_known_folder(folder))
        except ModelError:
            continue
    return bundles


def load_known_folder(folder: Path) -> ModelBundle:
    """Load the shipped bundle or an added bundle, which takes the name of its folder.

    Raises:
        ModelError: the bundle cannot be used.
    """
    bundle = load_bundle(folder)
    if folder == find_shipped_folder():
        return bundle
    return replace(bundle, spec=rename_spec(bundle.spec, folder.name))


def rename_spec(spec: ModelSpec, name: str) -> ModelSpec:
    """Rename a model, and keep the makers' name as a fact."""
    if spec.name == name:
        return spec
    return spec.model_copy(update={"name": name, "original_name": spec.original_name or spec.name})


def find_model(name_or_path: str | Path | None = None) -> ModelBundle:
    """Find a model by its name or folder; None is the shipped model.

    `find_bundle` says which of the two a name means.

    Raises:
        ModelNotFound: no such model; the message lists the known names.
        ModelError: the model cannot be used.
    """
    if name_or_path is None:
        return load_bundle(find_shipped_folder())
    bundle = find_bundle(name_or_path)
    if bundle is not None:
        _refuse_foreign_code(bundle)
        return bundle
    if Path(name_or_path).is_dir():
        return load_bundle(name_or_path)  # raises: a file of the bundle is missing
    names = ", ".join(bundle.spec.name for bundle in list_models())
    raise ModelNotFound(
        f"There is no model {name_or_path}. Known: {names or 'none'}. "
        "Give one of these, a bundle's folder, or add one with `glisson models add`."
    )


def find_bundle(name_or_path: str | Path) -> ModelBundle | None:
    """Find a bundle by a model's name or by its folder; None if neither exists.

    A string that is the name of the shipped or an added model means that model, even where the
    working directory holds a folder of the same name (`find_hidden_folder`). For the folder give
    `./NAME` or a `Path`.

    Raises:
        ModelError: the model cannot be used.
    """
    folder, known = Path(name_or_path), _find_known_folder(str(name_or_path))
    if known is not None and not (isinstance(name_or_path, Path) and folder.is_dir()):
        logger.info("%s is the model in %s", name_or_path, known)
        return load_known_folder(known)
    return load_bundle(folder) if (folder / SPEC_FILE).exists() else None


def find_added(name: str) -> ModelBundle | None:
    """Find an added model; None if none has that name.

    Raises:
        ModelError: the model cannot be used.
    """
    folder = find_store_folder() / name
    is_added = make_safe_name(name) == name and folder.is_dir()
    return load_known_folder(folder) if is_added else None


def find_hidden_folder(name: str | Path | None) -> Path | None:
    """Return the bundle in the working directory that a known model's name hides, if any."""
    if not isinstance(name, str) or not (Path(name) / SPEC_FILE).is_file():
        return None
    known, folder = _find_known_folder(name), Path(name).resolve()
    return None if known is None or known.resolve() == folder else folder


def _find_known_folder(name: str) -> Path | None:
    """Return a known model's folder; no added model hides the shipped one."""
    if name.casefold() == read_shipped_name().casefold():  # some file systems ignore case
        return find_shipped_folder()
    added = find_store_folder() / name
    return added if make_safe_name(name) == name and added.is_dir() else None


def _refuse_foreign_code(bundle: ModelBundle) -> None:
    """Reject TorchScript outside the store: it is code, and adding it is how a user trusts it."""
    is_added = bundle.folder.resolve().is_relative_to(find_store_folder().resolve())
    if bundle.spec.architecture.is_torchscript and not is_added:
        raise UnsafeModel(
            f"{bundle.folder} holds TorchScript, which is code. If you trust its makers: "
            f"glisson models add {bundle.folder}, then --model {bundle.spec.name}."
        )
