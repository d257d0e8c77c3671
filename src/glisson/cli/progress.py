"""The progress bar: slide, stage and time left; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from glisson.cli.console import console

_STAGES = {
    "fetch": "fetching",
    "tissue": "finding tissue",
    "segment": "segmenting",
    "outline": "tracing tracts",
    "measure": "measuring",
    "write": "writing results",
    "store": "storing results",
}
_MARKS = {"done": "[green]done[/]", "kept": "[cyan]kept[/]", "failed": "[red]failed[/]"}


class ProgressBar:
    """A `RunObserver` that draws with rich."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._slide = ""
        self._total = 1
        self._outcomes: Counter[str] = Counter()
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def slide_started(self, name: str, number: int, total: int) -> None:
        """Name the slide on the bar."""
        self._total = total
        self._slide = name if total == 1 else f"{name} ({number} of {total})"

    def stage_started(self, stage: str) -> None:
        """Start the bar again for a stage."""
        text = f"{self._slide}: {_STAGES.get(stage, stage)}"
        self._progress.reset(self._task, description=text, total=None)

    def stage_progressed(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)

    def slide_finished(self, name: str, outcome: str) -> None:
        """Leave a line behind; of a series, with how far it is and how long it will take."""
        self._outcomes[outcome] += 1
        told = "" if self._total == 1 else f" [dim]({self._so_far()})[/]"
        console.print(f"{_MARKS[outcome]} {escape(name)}{told}", highlight=False)

    def _so_far(self) -> str:
        """Such as `12 of 300, 1 failed, 41 slides/h, 7:02 h left`."""
        gone = self._outcomes.total()
        parts = [f"{gone} of {self._total}"]
        if self._outcomes["failed"]:
            parts.append(f"{self._outcomes['failed']} failed")
        worked = gone - self._outcomes["kept"]  # those are gone through in no time
        if worked:
            hours = (time.monotonic() - self._started) / 3600
            parts.append(f"{worked / hours:.0f} slides/h")
            minutes = round((self._total - gone) * hours / worked * 60)
            parts.append(f"{minutes // 60}:{minutes % 60:02d} h left")
        return ", ".join(parts)
