"""The choice of an executor by its name or address."""

from __future__ import annotations

from glisson.errors import SettingsError
from glisson.run.executors.base import Executor
from glisson.run.executors.in_process import InProcess
from glisson.run.executors.isolated import IsolatedProcess
from glisson.run.executors.on_dask import DaskCluster

SEVERAL = "process"
"""The executor for several slides: one that crashes must not take the others with it."""


def find_executor(
    chosen: Executor | str | None, slide_count: int, is_trusted: bool = True
) -> Executor:
    """Return the executor that a name or an address stands for.

    Args:
        chosen: an executor; `process`; `here`; the address of a Dask scheduler or its JSON file;
            or None for `process` where there are several slides or the model is not trusted, else
            `here`.
        slide_count: slides of the whole run.
        is_trusted: whether the model is the shipped one.

    Raises:
        SettingsError: the text is neither a name nor an address.
    """
    if chosen is None:
        chosen = SEVERAL if slide_count > 1 or not is_trusted else "here"
    if not isinstance(chosen, str):
        return chosen
    if chosen == "here":
        return InProcess()
    if chosen == "process":
        return IsolatedProcess()
    if "://" in chosen or chosen.endswith(".json"):
        return DaskCluster(chosen)
    raise SettingsError(
        f"There is no executor '{chosen}'. Give 'process', 'here', the address of a Dask scheduler "
        "such as tcp://node1:8786, or the JSON file that it wrote."
    )
