"""The progress callbacks of a run: the Protocol that the table on the terminal fulfils."""

from __future__ import annotations

from typing import Protocol


class RunObserver(Protocol):
    """The progress callbacks of a run, all called from one thread.

    On a cluster several slides are at work at a time.
    """

    def slide_started(self, name: str, number: int, total: int) -> None:
        """Handle the start of a slide; `number` counts from 1."""
        ...

    def stage_started(self, name: str, stage: str) -> None:
        """Handle the start of a slide's stage."""
        ...

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Handle progress in a slide's stage: `done` of `total` units."""
        ...

    def slide_finished(self, name: str, outcome: str) -> None:
        """Handle the end of a slide: `done`, `kept` (done earlier) or `failed`."""
        ...


class SilentObserver:
    """An observer that does nothing."""

    def slide_started(self, name: str, number: int, total: int) -> None:
        """Do nothing."""

    def stage_started(self, name: str, stage: str) -> None:
        """Do nothing."""

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Do nothing."""

    def slide_finished(self, name: str, outcome: str) -> None:
        """Do nothing."""
