"""Names of result folders, and which slides' names cannot be one."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from glisson.errors import SettingsError
from glisson.run.shard import FOLDER as SHARDS
from glisson.storage import Place

MOST_BYTES = 150
"""Of a name: 255 are a file's most, and a folder that is not finished has a longer one."""
_OWN = {"qupath", SHARDS, "run.json", "report.html", "failures.csv"} | {
    f"{table}{ending}.csv" for table in ("biopsies", "tracts") for ending in ("", "_edited")
}
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's control and format characters (right-to-left marks among them), halves of characters
(bytes of no known coding) and line ends: they make a name look like another."""


def result_names(paths: Sequence[Place]) -> list[str]:
    """A folder name for each slide: its stem, or its whole name where stems repeat or are taken.

    Raises:
        SettingsError: no slide, two slides of the same name, or a name that cannot be a folder's.
    """
    if not paths:
        raise SettingsError("No slide was given; name at least one slide file.")
    stems = Counter(path.stem.casefold() for path in paths)
    names = [
        path.stem if stems[path.stem.casefold()] == 1 and not _is_taken(path.stem) else path.name
        for path in paths
    ]
    repeated = [n for n, k in Counter(name.casefold() for name in names).items() if k > 1]
    if repeated:
        raise SettingsError(
            f"Two slides are called {repeated[0]}; their results would share a folder. "
            "Rename one, or segment them into two folders."
        )
    for name in names:
        _check(name)
    return names


def _is_taken(name: str) -> bool:
    return name.casefold() in _OWN


def _check(name: str) -> None:
    if not name or _is_taken(name) or name in (".", ".."):
        raise SettingsError(f"No results can be called {name!r}. Rename the slide.")
    if any(unicodedata.category(each) in _UNSEEN for each in name):
        raise SettingsError(
            f"The slide's name {name!a} holds characters that nobody sees. Rename it."
        )
    if len(name.encode()) > MOST_BYTES:
        raise SettingsError(
            f"The slide's name {name[:40]}... has more than {MOST_BYTES} bytes. Shorten it."
        )
