"""Say which model a name means where it could mean two."""

from __future__ import annotations

from glisson.cli.console import warn
from glisson.model import find_hidden_folder, find_model


def say_which_model(name: str | None) -> None:
    """Warn where a known model was taken and a folder of the same name was not.

    Raises:
        ModelError: the known model cannot be used.
    """
    folder = find_hidden_folder(name)
    if folder is not None:
        bundle = find_model(name)
        warn(
            f"Taken: the model {bundle.spec.name} {bundle.spec.version} of {bundle.folder}. Not "
            f"taken: the folder {folder}; give ./{name} for it."
        )
