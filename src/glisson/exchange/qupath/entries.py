"""Entries of a project that Glisson extends: each lookup takes one step, however many there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from glisson.exchange.qupath.images import (
    Entry,
    find_place,
    find_uris,
    is_gone,
    read_entry_id,
    read_file_name,
    replace_uri,
)
from glisson.exchange.qupath.index import Index, IndexedSlide, is_same_file


class Entries:
    """A project's images, found by the place and by the file that they name.

    Args:
        project: content of the project file; stays unchanged.
        index: Glisson's own record of the project.
        folder: the project's.
    """

    def __init__(self, project: dict[str, Any], index: Index, folder: Path) -> None:
        self._images: list[Entry] = list(project["images"])
        self._index = index
        self._by_place: dict[str, int] = {}
        self._by_file: dict[str, list[tuple[str, int]]] = {}
        self._ids = {read_entry_id(image) for image in self._images}
        last_id = project.get("lastID", 0)
        # As the project was read: images that this run adds say nothing of those that it had.
        self._last_id = max([last_id if isinstance(last_id, int) else 0, *self._ids])
        data = [int(path.name) for path in (folder / "data").glob("*") if path.name.isdecimal()]
        indexed = [slide.entry_id for slide in index.slides.values()]
        # A new image with the id of an old data folder would show the old image's annotations.
        self._highest_id = max([self._last_id, *indexed, *data])
        for position in range(len(self._images)):
            self._note(position)

    @property
    def images(self) -> list[Entry]:
        """Return all images, in order."""
        return self._images

    def find_at(self, place: str) -> Entry | None:
        """Return the first image that names a place."""
        position = self._by_place.get(place)
        return None if position is None else self._images[position]

    def find_moved(self, slide: IndexedSlide) -> tuple[str, Entry] | None:
        """Find the same file's image at a place where the file no longer is; with its old URI."""
        for uri, position in self._by_file.get(read_file_name(slide.uri), ()):
            known = self._index.slides.get(find_place(uri))
            if known is None or known.bytes is None:
                continue
            if is_same_file(known, slide) and is_gone(uri):
                return uri, self._images[position]
        return None

    def find_relocated(self, known: IndexedSlide) -> Entry | None:
        """Find the slide's image where somebody gave it another place in QuPath."""
        if known.entry_id == 0:
            return None
        name = read_file_name(known.uri)
        for image in self._images:
            if read_entry_id(image) == known.entry_id:
                uris = find_uris(image.get("serverBuilder"))
                return image if name in map(read_file_name, uris) else None
        return None

    def was_removed(self, known: IndexedSlide) -> bool:
        """Return True if somebody removed the slide's image from the project.

        QuPath that had the project open when Glisson added the image saves an older list, with an
        older last id, or has since given the id to another image. Then nobody removed the image.
        """
        return 0 < known.entry_id <= self._last_id and known.entry_id not in self._ids

    def forget_lost(self) -> None:
        """Forget the ids of images that the project file never held, or no longer holds.

        A run was killed before it wrote the project, or QuPath saved an older list. The last id of
        the project is older than theirs, but soon no more: then they would count as removed.
        """
        for place, known in self._index.slides.items():
            if known.entry_id > self._last_id and known.entry_id not in self._ids:
                self._index.slides[place] = replace(known, entry_id=0)

    def next_id(self) -> int:
        """Return an id that no image has or had."""
        return self._highest_id + 1

    def add(self, image: Entry) -> None:
        """Append a new image."""
        self._images.append(image)
        entry_id = read_entry_id(image)
        self._ids.add(entry_id)
        self._highest_id = max(self._highest_id, entry_id)
        self._note(len(self._images) - 1)

    def relink(self, image: Entry, old: str, new: str) -> None:
        """Replace one of an image's URIs."""
        position = next(k for k, other in enumerate(self._images) if other is image)
        builder = replace_uri(image["serverBuilder"], old, new)
        self._images[position] = image | {"serverBuilder": builder}
        if self._by_place.get(find_place(old)) == position:
            del self._by_place[find_place(old)]
        self._note(position)

    def _note(self, position: int) -> None:
        """Enter an image's URIs into both lookups."""
        for uri in find_uris(self._images[position].get("serverBuilder")):
            place = find_place(uri)
            self._by_place.setdefault(place, position)
            known = self._index.slides.get(place)
            name = read_file_name(uri if known is None else known.uri)
            self._by_file.setdefault(name, []).append((uri, position))
