"""Results of an earlier run, and the files of corrected outlines that belong to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glisson.errors import AnnotationError, SettingsError
from glisson.exchange import read_geojson
from glisson.record import BiopsyRecord
from glisson.results.folder import BIOPSY, TRACTS, read_manifest, refuse_links
from glisson.slides import SlideInfo

EDITED_ENDING = ".edited"
"""Ending of the folder of a slide's corrected results, beside the folder of the model's results."""

_FILE_ENDINGS = (".geojson", ".geojson.gz", ".json", ".json.gz")
_QUPATH_FOLDER = Path("qupath") / "edited"
_REPLACED_BY_EXPORT = re.compile(r'[\\/:*?"<>|]')
_SET_ASIDE = re.compile(r"(.+)\.edited-\d+")
"""Name of a folder that a newer run kept, because its outlines had been edited (`folder.py`)."""


@dataclass(frozen=True)
class StoredSlide:
    """A slide that was segmented.

    Attributes:
        name: of its result folder.
        folder: the result folder.
        record: the content of its `biopsy.json`.
    """

    name: str
    folder: Path
    record: BiopsyRecord

    @property
    def info(self) -> SlideInfo:
        """Return the facts of the slide; its file need not be there."""
        return self.record.as_slide()

    def is_called(self, image: str) -> bool:
        """Return whether an image or a file of annotations has this slide's name."""
        file = self.record.slide.file
        own = {_normalise(name) for name in (file, Path(file).stem, self.name)}
        return _normalise(image) in own


def read_slides(results: Path) -> tuple[Path, list[StoredSlide]]:
    """Return the results folder and its slides; of a slide's own folder, that slide alone.

    Folders that a newer run of the same slide set aside are left out.

    Raises:
        SettingsError: `results` holds no results of `glisson segment`.
        ResultError: the record of a slide is invalid.
    """
    if is_slide_folder(results):
        results = results.resolve()
        found = [read_stored_slide(results)]
        out = results.parent
    else:
        out = results
        folders = sorted(path for path in _list_folder(results) if (path / BIOPSY).is_file())
        folders = [folder for folder in folders if not is_set_aside(folder)]
        found = [
            read_stored_slide(folder) for folder in folders if read_manifest(folder) is not None
        ]
    slides = [slide for slide in found if slide.record.source != "edited"]
    if not slides:
        raise SettingsError(
            f"{results} holds no results of glisson segment. Give the folder that was written "
            "with -o, or one slide's folder in it."
        )
    return out, slides


def read_edited_records(out: Path) -> list[tuple[str, BiopsyRecord]]:
    """Read (name, record) of every slide with corrected results.

    Raises:
        ResultError: a record is invalid.
    """
    folders = sorted(path for path in _list_folder(out) if path.name.endswith(EDITED_ENDING))
    found = [
        (folder.name.removesuffix(EDITED_ENDING), read_stored_slide(folder).record)
        for folder in folders
        if read_manifest(folder) is not None and (folder / BIOPSY).is_file()
    ]
    # A slide may itself be called `x.edited`.
    return [(name, record) for name, record in found if record.source == "edited"]


def find_edited_folder(slide: StoredSlide) -> Path:
    """Return the folder for a slide's corrected results.

    Raises:
        SettingsError: the folder holds another slide's own results.
        ResultError: the record there is invalid.
    """
    folder = slide.folder.with_name(slide.name + EDITED_ENDING)
    if (folder / BIOPSY).is_file() and BiopsyRecord.read(folder).source != "edited":
        raise SettingsError(
            f"{folder} holds the results of another slide, which the corrected ones of "
            f"{slide.name} would replace. Segment one of the two into another folder."
        )
    return folder


def is_slide_folder(results: Path) -> bool:
    """Return whether a folder is that of one slide, and no results folder."""
    return (results / BIOPSY).is_file()


def find_outlines(out: Path, given: Path | None) -> list[Path]:
    """List the GeoJSON files to measure: the given file, or all of a folder.

    Of a slide's own folder, the file is its outlines, corrected in place.

    Raises:
        SettingsError: there are no files.
    """
    place = given or out / _QUPATH_FOLDER
    if place.is_file():
        return [place]
    if is_slide_folder(place):
        return [place / TRACTS]
    files = sorted(path for path in _list_folder(place) if path.name.endswith(_FILE_ENDINGS))
    if given is None:
        refuse_links(place)
    if not files:
        what = "holds no GeoJSON" if place.is_dir() else "does not exist"
        raise SettingsError(
            f"{place} {what}. In QuPath, run the project's script export_glisson, or say with "
            "--from where the corrected outlines are."
        )
    return files


def select_outlines(files: list[Path], slide: StoredSlide) -> list[Path]:
    """Select the files that are named as a slide; if there are none, all files."""
    return select_own_outlines(files, slide) or files


def select_own_outlines(files: Sequence[Path], slide: StoredSlide) -> list[Path]:
    """Select the files whose own name is the slide's, not that of a duplicated image."""
    return [file for file in files if slide.is_called(_drop_ending(file))]


def group_by_slide(
    files: Sequence[Path], slides: Sequence[StoredSlide], chosen: bool = False
) -> dict[str, list[Path]]:
    """Group files of outlines by their slide's name; leave out those without a slide."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        with suppress(AnnotationError):
            groups.setdefault(match_slide(file, slides, chosen).name, []).append(file)
    return groups


def match_slide(file: Path, slides: Sequence[StoredSlide], chosen: bool = False) -> StoredSlide:
    """Find the slide of a file's outlines by the image that the file names, or by its own name.

    Args:
        file: GeoJSON.
        slides: all candidates.
        chosen: whether the user gave this very file: if it names no image and there is one slide,
            it may have any name.

    Raises:
        AnnotationError: no slide or several slides match, or the file is no GeoJSON.
    """
    image = str(read_geojson(file).slide_block.get("image", ""))
    names = [image] if image else [_drop_ending(file)]
    if file.parent.resolve() in {slide.folder.resolve() for slide in slides}:
        names.append(file.parent.resolve().name)
    folders = {_normalise(name) for name in names}
    found = [
        slide for slide in slides if _normalise(slide.name) in folders
    ]  # as our export names it
    found = found or [slide for slide in slides if any(map(slide.is_called, names))]
    if len(found) == 1:
        return found[0]
    if chosen and len(slides) == 1 and not image:
        return slides[0]
    known = ", ".join(slide.name for slide in slides[:5])
    which = "several slides" if found else "no slide"
    what_next = (
        "Measure the folder of the slide that it was drawn on, not that of all."
        if found
        else "Put it into the folder of the slide that it was drawn on, or name it as the slide."
    )
    raise AnnotationError(
        f"{file} belongs to {which} of these results by its name ({names[0]}; slides: {known}). "
        f"{what_next}"
    )


def is_set_aside(folder: Path) -> bool:
    """Return whether a newer run kept this folder because its outlines had been edited."""
    match = _SET_ASIDE.fullmatch(folder.name)
    return match is not None and (folder.with_name(match[1]) / BIOPSY).is_file()


def read_stored_slide(folder: Path) -> StoredSlide:
    """Read a slide's `biopsy.json`.

    Raises:
        ResultError: as `refuse_links` and `BiopsyRecord.read`.
    """
    refuse_links(folder)
    return StoredSlide(folder.name, folder, BiopsyRecord.read(folder))


def _list_folder(folder: Path) -> Iterable[Path]:
    return [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []


def _drop_ending(file: Path) -> str:
    for ending in sorted(_FILE_ENDINGS, key=len, reverse=True):
        if file.name.endswith(ending):
            return file.name.removesuffix(ending)
    return file.stem


def _normalise(name: str) -> str:
    """Spell a name as the export script does in a file name."""
    return _REPLACED_BY_EXPORT.sub("_", name).casefold()
