"""What became of a slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glisson.storage import Place

RESEARCH_USE = "For research, not for diagnosis."


@dataclass(frozen=True)
class SlideResult:
    """What became of one slide.

    Attributes:
        name: the result folder's name.
        slide: the slide's path, or its address on a store; its pseudonym where it has one.
        outcome: `done`, `kept` (done earlier, same settings) or `failed`.
        folder: the result folder, on a store where the run's is, or None when failed.
        record: the content of `biopsy.json`, or empty when failed.
        error: why it failed, or None.
        number: its place in the whole run, from 1.
        case: patient and institution, where the run was told.
        because: why a slide that had results was done again, or None.
        pseudonym: whether the name is one, and `slide` no path.
    """

    name: str
    slide: Place
    outcome: str
    folder: Place | None
    record: dict[str, Any]
    error: str | None = None
    number: int = 1
    case: tuple[str | None, str | None] = (None, None)
    because: str | None = None
    pseudonym: bool = False
