"""A warning where a name could mean two models."""

from __future__ import annotations

from glisson.cli.console import warn
from glisson.model import find_hidden_folder, find_model


def say_which_model(name: str | None) -> None:
    """Warn if a name means an added model although a folder has the same name.

    Raises:
        ModelError: the known model cannot be used.
    """
    folder = find_hidden_folder(name)
    if folder is not None:
        bundle = find_model(name)
        warn(
            f"Glisson takes the model {bundle.spec.name} {bundle.spec.version} of {bundle.folder}, "
            f"not the folder {folder}. Give ./{name} for the folder."
        )
