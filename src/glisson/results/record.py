"""The result of a slide in a run."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.errors import ResultError
from glisson.measurement import BiopsyMeasurements
from glisson.record import BiopsyRecord
from glisson.storage import Place

RESEARCH_USE = "For research, not for diagnosis."


@dataclass(frozen=True)
class SlideResult:
    """The result of one slide.

    Attributes:
        name: the result folder's name.
        slide: the slide's path, its address on a store, or its pseudonym.
        outcome: `done`, `kept` (done earlier, same settings) or `failed`.
        folder: the result folder, on a store where the run's is, or None when failed.
        record: the content of `biopsy.json`, or None when failed.
        error: why it failed, or None.
        number: its place in the list of the run, from 1.
        case: patient and institution, where the list of slides has them.
        because: why a slide that had results was done again, or None.
        pseudonym: whether `name` is a pseudonym and `slide` no path.
    """

    name: str
    slide: Place
    outcome: str
    folder: Place | None = None
    record: BiopsyRecord | None = None
    error: str | None = None
    number: int = 1
    case: tuple[str | None, str | None] = (None, None)
    because: str | None = None
    pseudonym: bool = False

    @property
    def biopsy(self) -> BiopsyMeasurements:
        """Return the measurements of the slide.

        Raises:
            ResultError: the slide failed.
        """
        if self.record is None:
            raise ResultError(f"{self.name} has no result: {self.error}")
        return self.record.biopsy
