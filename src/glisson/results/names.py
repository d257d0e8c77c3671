"""Names of result folders: which slide has which folder, and which names are invalid."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.errors import SettingsError
from glisson.results.folder import FAILED
from glisson.results.remote import read_records
from glisson.slides import SLIDE_SUFFIXES
from glisson.storage import Place, Url

MOST_BYTES = 150
"""Bytes of a name: a file system allows 255, and an unfinished folder has a longer name."""
_OWN = {"qupath", "run.json", "report.html", "failures.csv"} | {
    f"{table}{ending}.csv"
    for table in ("biopsies", "tracts", "candidates")
    for ending in ("", "_edited")
}
_DICOM = ".dcm"
_OF_WINDOWS = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\.|$)", flags=re.IGNORECASE
)
"""Names that Windows takes for devices, with any ending."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of control and format characters (such as right-to-left marks), surrogates and
line ends: they make one name look like another."""


@dataclass(frozen=True)
class _Slide:
    """A slide that needs a folder name."""

    path: Place
    is_folder: bool

    @property
    def own_name(self) -> str:
        """Return the stem; of a DICOM folder the whole name, as numbers follow its dots."""
        return _fit_windows(self.path.name if self.is_folder else self.path.stem)

    @property
    def whole_name(self) -> str:
        """Return the name with its ending."""
        return _fit_windows(self.path.name)

    @property
    def possible(self) -> list[str]:
        """List the names that the slide's folder may have, the likeliest first."""
        names = (self.own_name, self.path.stem, self.path.name, self.whole_name)
        return list(dict.fromkeys(names))

    def has(self, record: Mapping[str, str]) -> bool:
        """Return whether results are of this slide, by the names that they record."""
        file, name = _normalise(record["file"]), _normalise(record["name"])
        is_dicom_file = self.is_folder and file.lower().endswith(_DICOM)
        if file == _normalise(self.path.name) and not is_dicom_file:
            return True
        folder = _normalise(self.path.name.removesuffix(_DICOM))
        # a name on a store is not looked up: it may be a folder's
        is_remote_dicom = isinstance(self.path, Url) and self.path.suffix == _DICOM
        may_be_folder = self.is_folder or is_remote_dicom
        return may_be_folder and name == folder and file.lower().endswith(_DICOM)


def name_folders(paths: Sequence[Place], out: Place | None = None) -> list[str]:
    """Name a folder for each slide: the same names in every shard, whatever others have done.

    A slide that has a folder in `out` keeps the name. A new slide gets its stem (a DICOM folder its
    whole name), or its whole name where the stem is another slide's, in this run or in `out`.

    Args:
        paths: the slides of the whole run.
        out: the results folder, or its address; only folders of these slides' names are read.

    Raises:
        SettingsError: no slide, two slides of the same name, a name whose results are another
            slide's, or a name that cannot be a folder's.
        OutputError: the store of results fails.
    """
    if not paths:
        raise SettingsError("No slide was given; name at least one slide file.")
    slides = [_Slide(path, _is_folder(path)) for path in paths]
    there = {} if out is None else _read_owners(out, slides)
    shared = Counter(each.own_name.casefold() for each in slides)
    names = []
    for each in slides:
        own = (name for name in each.possible if name in there and each.has(there[name]))
        names.append(next(own, None) or _choose_new(each, there, shared))
    repeated = [n for n, k in Counter(name.casefold() for name in names).items() if k > 1]
    if repeated:
        raise SettingsError(
            f"Two slides are called {repeated[0]}; their results would share a folder. "
            "Rename one, or segment them into two folders."
        )
    for name in names:
        _check(name)
    return names


def _read_owners(out: Place, slides: Sequence[_Slide]) -> dict[str, dict[str, str]]:
    """Return file and name of the slide that each folder's results or failure record."""
    names = list(dict.fromkeys(name for slide in slides for name in slide.possible))
    found = {n: record.get("request") for n, record in read_records(out, names, FAILED).items()}
    found |= {n: record.get("slide") for n, record in read_records(out, names).items()}
    facts = {name: {"name": name} | each for name, each in found.items() if isinstance(each, dict)}
    return {
        name: slide
        for name, slide in facts.items()
        if all(isinstance(slide.get(key), str) for key in ("file", "name"))
    }


def _choose_new(slide: _Slide, there: Mapping[str, dict[str, str]], shared: Counter[str]) -> str:
    own, whole = slide.own_name, slide.whole_name
    if shared[own.casefold()] == 1 and own not in there and not _is_reserved(own):
        return own
    if whole in there:
        raise SettingsError(
            f"The results of {whole} would take the place of those of {there[whole]['file']}. "
            "Rename one of the two slides, or choose another folder with -o."
        )
    return whole


def _is_folder(path: Place) -> bool:
    """Return whether a slide is a DICOM folder; on a store or deleted, the ending decides."""
    if isinstance(path, Path) and os.path.isdir(path):
        return True
    is_file = isinstance(path, Path) and os.path.isfile(path)
    return not is_file and path.suffix.lower() not in SLIDE_SUFFIXES


def _fit_windows(name: str) -> str:
    """Return a name that a folder can have on Windows too, where results may be copied to.

    Windows drops blanks and dots at the end, and takes `aux.svs` for a device.
    """
    name = name.rstrip(" .") or name
    device = _OF_WINDOWS.match(name)
    return name if device is None else f"{device[0]}_{name[device.end() :]}"


def _normalise(name: str) -> str:
    """Compose accents, which systems write in different ways."""
    return unicodedata.normalize("NFC", name)


def _is_reserved(name: str) -> bool:
    return name.casefold() in _OWN


def _check(name: str) -> None:
    if not name or _is_reserved(name) or name in (".", ".."):
        raise SettingsError(f"No results can be called {name!r}. Rename the slide.")
    if any(unicodedata.category(each) in _INVISIBLE for each in name):
        raise SettingsError(f"The slide's name {name!a} holds invisible characters. Rename it.")
    if len(name.encode()) > MOST_BYTES:
        raise SettingsError(
            f"The slide's name {name[:40]}... has more than {MOST_BYTES} bytes. Shorten it."
        )
