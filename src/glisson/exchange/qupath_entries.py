"""The images of a project that is being extended: each is found in one step, however many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glisson.exchange.qupath_images import (
    Entry,
    entry_number,
    file_name,
    is_gone,
    place_of,
    uris_in,
    with_uri,
)
from glisson.exchange.qupath_index import Index, IndexedSlide, highest_id, is_same_file


class Entries:
    """A project's images, looked up by the place and by the file that they name.

    Args:
        images: the project's; not changed.
        last_id: that the project holds.
        index: what Glisson remembers of the project.
        folder: the project's.
    """

    def __init__(self, images: list[Entry], last_id: int, index: Index, folder: Path) -> None:
        self._images = list(images)
        self._index = index
        self._by_place: dict[str, int] = {}
        self._by_file: dict[str, list[tuple[str, int]]] = {}
        self._taken = {entry_number(image) for image in images}
        left = [int(path.name) for path in (folder / "data").glob("*") if path.name.isdecimal()]
        known = highest_id(list(index.slides.values()))
        self._last = max([last_id, *self._taken])
        # a data folder that was left would come back to life
        self._highest = max([self._last, known, *left])
        for position in range(len(self._images)):
            self._note(position)

    @property
    def images(self) -> list[Entry]:
        """All of them, in order."""
        return self._images

    def at(self, place: str) -> Entry | None:
        """The first image that names a place."""
        position = self._by_place.get(place)
        return None if position is None else self._images[position]

    def moved(self, slide: IndexedSlide) -> tuple[str, Entry] | None:
        """The image of the same file at a place where it no longer is, with its old URI."""
        for uri, position in self._by_file.get(file_name(slide.uri), ()):
            known = self._index.slides.get(place_of(uri))
            if known is None or known.bytes is None:
                continue
            if is_same_file(known, slide) and is_gone(uri):
                return uri, self._images[position]
        return None

    def was_removed(self, known: IndexedSlide) -> bool:
        """Whether somebody removed an image, or QuPath saved a project that never knew it.

        QuPath that had the project open when Glisson added the image saves an older list, with an
        older last id, or has since given the id to another image.
        """
        return 0 < known.entry_id <= self._last and known.entry_id not in self._taken

    def free_id(self) -> int:
        """An id that no image has or had."""
        return self._highest + 1

    def add(self, image: Entry) -> None:
        """Append a new image."""
        self._images.append(image)
        number = entry_number(image)
        self._taken.add(number)
        self._last = max(self._last, number)
        self._highest = max(self._highest, number)
        self._note(len(self._images) - 1)

    def relink(self, image: Entry, old: str, new: str) -> None:
        """Give an image another URI for one of its own."""
        position = next(k for k, each in enumerate(self._images) if each is image)
        builder = with_uri(image["serverBuilder"], old, new)
        self._images[position] = image | {"serverBuilder": builder}
        if self._by_place.get(place_of(old)) == position:
            del self._by_place[place_of(old)]
        self._note(position)

    def _note(self, position: int) -> None:
        for uri in uris_in(self._images[position].get("serverBuilder")):
            place = place_of(uri)
            self._by_place.setdefault(place, position)
            known = self._index.slides.get(place)
            name = file_name(uri if known is None else known.uri)
            self._by_file.setdefault(name, []).append((uri, position))


def last_id(project: dict[str, Any]) -> int:
    """The last id that a project says it gave; 0 where it says none."""
    last = project.get("lastID", 0)
    return last if isinstance(last, int) else 0
