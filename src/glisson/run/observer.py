"""Who watches a run: the Protocol that the table on the terminal fulfils."""

from __future__ import annotations

from typing import Protocol


class RunObserver(Protocol):
    """Told what a run does, as it does it. Called from one thread.

    On a cluster several slides are at work at a time.
    """

    def slide_started(self, name: str, number: int, total: int) -> None:
        """A slide begins; `number` counts from 1."""
        ...

    def stage_started(self, name: str, stage: str) -> None:
        """A stage of a slide begins."""
        ...

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """A slide's stage has done a part of its work."""
        ...

    def slide_finished(self, name: str, outcome: str) -> None:
        """A slide ended: `done`, `kept` (done earlier) or `failed`."""
        ...


class SilentObserver:
    """Watches and says nothing."""

    def slide_started(self, name: str, number: int, total: int) -> None:
        """Nothing."""

    def stage_started(self, name: str, stage: str) -> None:
        """Nothing."""

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def slide_finished(self, name: str, outcome: str) -> None:
        """Nothing."""
