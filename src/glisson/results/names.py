"""Names of result folders: whose results lie where, and which names cannot be one."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glisson.errors import SettingsError
from glisson.results.folder import FAILED
from glisson.results.remote import read_records
from glisson.slides import SLIDE_ENDINGS
from glisson.storage import Place, Url

MOST_BYTES = 150
"""Of a name: 255 are a file's most, and a folder that is not finished has a longer one."""
_OWN = {"qupath", "run.json", "report.html", "failures.csv"} | {
    f"{table}{ending}.csv"
    for table in ("biopsies", "tracts", "candidates")
    for ending in ("", "_edited")
}
_DICOM = ".dcm"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's control and format characters (right-to-left marks among them), halves of characters
(bytes of no known coding) and line ends: they make a name look like another."""


@dataclass(frozen=True)
class _Slide:
    """A slide that needs a name, or that results say they are of."""

    path: Place
    is_folder: bool

    @property
    def own_name(self) -> str:
        """Its stem; of a DICOM folder all, as numbers follow the dots in it."""
        return self.path.name if self.is_folder else self.path.stem

    @property
    def possible(self) -> list[str]:
        """Names that it may have or have had, the likeliest first."""
        return list(dict.fromkeys((self.own_name, self.path.stem, self.path.name)))

    def has(self, record: Mapping[str, Any]) -> bool:
        """Whether results are of this slide, by the names that they record."""
        file, name = _composed(record["file"]), _composed(record["name"])
        is_dicom_file = self.is_folder and file.lower().endswith(_DICOM)
        if file == _composed(self.path.name) and not is_dicom_file:
            return True
        folder = _composed(self.path.name.removesuffix(_DICOM))
        return self._may_be_folder and name == folder and file.lower().endswith(_DICOM)

    @property
    def _may_be_folder(self) -> bool:
        """On a store `case.dcm` may be either, and is not asked for: it may be one of thousands."""
        return self.is_folder or (isinstance(self.path, Url) and self.path.suffix == _DICOM)


def result_names(paths: Sequence[Place], out: Place | None = None) -> list[str]:
    """A folder name for each slide; the same in every part of a run, whatever others have done.

    A slide that has results keeps their folder's name. A new one gets its stem (a DICOM folder its
    whole name), or its whole name where the stem is another slide's, in this run or in `out`.

    Args:
        paths: the slides of the whole run.
        out: the folder for results, or its address; looked into where the names would lead.

    Raises:
        SettingsError: no slide, two slides of the same name, a name whose results are another
            slide's, or a name that cannot be a folder's.
        OutputError: the store of results does not answer.
    """
    if not paths:
        raise SettingsError("No slide was given; name at least one slide file.")
    slides = [_Slide(path, _is_folder(path)) for path in paths]
    there = {} if out is None else _recorded(out, slides)
    shared = Counter(each.own_name.casefold() for each in slides)
    names = [_kept(each, there) or _new(each, there, shared) for each in slides]
    _check_apart(names)
    for name in names:
        _check(name)
    return names


def _recorded(out: Place, slides: Sequence[_Slide]) -> dict[str, dict[str, Any]]:
    """Return the file and name of the slide in each folder that results or a failure tell."""
    names = list(dict.fromkeys(name for slide in slides for name in slide.possible))
    found = {n: record.get("request") for n, record in read_records(out, names, FAILED).items()}
    found |= {n: record.get("slide") for n, record in read_records(out, names).items()}
    facts = {name: {"name": name} | each for name, each in found.items() if isinstance(each, dict)}
    return {
        name: slide
        for name, slide in facts.items()
        if all(isinstance(slide.get(key), str) for key in ("file", "name"))
    }


def _kept(slide: _Slide, there: Mapping[str, dict[str, Any]]) -> str | None:
    names = (name for name in slide.possible if name in there and slide.has(there[name]))
    return next(names, None)


def _new(slide: _Slide, there: Mapping[str, dict[str, Any]], shared: Counter[str]) -> str:
    own, whole = slide.own_name, slide.path.name
    if shared[own.casefold()] == 1 and own not in there and not _is_taken(own):
        return own
    if whole in there:
        raise SettingsError(
            f"The results of {whole} would take the place of those of {there[whole]['file']}. "
            "Rename one of the two slides, or choose another folder with -o."
        )
    return whole


def _check_apart(names: Sequence[str]) -> None:
    repeated = [n for n, k in Counter(name.casefold() for name in names).items() if k > 1]
    if repeated:
        raise SettingsError(
            f"Two slides are called {repeated[0]}; their results would share a folder. "
            "Rename one, or segment them into two folders."
        )


def _is_folder(path: Place) -> bool:
    """Whether a slide is a DICOM folder; its ending tells it of one on a store, or gone."""
    if isinstance(path, Path) and os.path.isdir(path):
        return True
    is_file = isinstance(path, Path) and os.path.isfile(path)
    return not is_file and path.suffix.lower() not in SLIDE_ENDINGS


def _composed(name: str) -> str:
    """However its accents are composed: it differs by system."""
    return unicodedata.normalize("NFC", name)


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
