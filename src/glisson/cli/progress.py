"""How far a run is: a live table on a terminal, one plain line a slide in a log."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

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
_MOST_LINES = 12
"""Slides at work that are shown; a cluster has more than a terminal has lines."""
_BAR_WIDTH = 24


@dataclass
class _Running:
    """A slide that is being worked on."""

    started: float
    stage: str = "opening"
    done: int = 0
    total: int = 0


@dataclass
class RunTable:
    """A `RunObserver` that draws with rich.

    Attributes:
        console: where to draw; where it is no terminal, each slide that ends is one line.
    """

    console: Console = field(default_factory=lambda: console)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)
    _outcomes: Counter[str] = field(default_factory=Counter, init=False)
    _total: int = field(default=0, init=False)
    _started: float = field(default=0.0, init=False)
    _live: Live | None = field(default=None, init=False)
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots"), init=False)

    def __post_init__(self) -> None:
        """The run begins now."""
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self.table, console=self.console, transient=True,
                refresh_per_second=8,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def slide_started(self, name: str, number: int, total: int) -> None:
        """A line for the slide."""
        self._total = total
        self._running[name] = _Running(time.monotonic())

    def stage_started(self, name: str, stage: str) -> None:
        """Say it in the slide's line."""
        if name in self._running:
            self._running[name].stage = _STAGES.get(stage, stage)
            self._running[name].done = self._running[name].total = 0

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Move the bar in the slide's line."""
        if name in self._running:
            self._running[name].done, self._running[name].total = done, total

    def slide_finished(self, name: str, outcome: str) -> None:
        """Leave a line behind; of a series, with how far it is and how long it will take."""
        self._running.pop(name, None)
        self._outcomes[outcome] += 1
        told = "" if self._total == 1 else f" [dim]({self._so_far()})[/]"
        self.console.print(f"{_MARKS[outcome]} {escape(name)}{told}", highlight=False)

    def table(self) -> RenderableType:
        """The whole run in one line, and a line for each slide that is being worked on."""
        running = list(self._running.items())
        lines: list[RenderableType] = [] if self._total == 1 else [Text(self._overall())]
        lines.append(self._lines(running[:_MOST_LINES]))
        if len(running) > _MOST_LINES:
            lines.append(Text(f"  and {len(running) - _MOST_LINES} more"))
        return Group(*lines)

    def _lines(self, running: list[tuple[str, _Running]]) -> Table:
        table = Table.grid(padding=(0, 1))
        for _ in range(3):
            table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(width=_BAR_WIDTH)
        table.add_column(justify="right")
        for name, slide in running:
            bar = ProgressBar(slide.total, slide.done) if slide.total else ""
            gone = time.monotonic() - slide.started
            table.add_row(self._spinner, Text(name), slide.stage, bar, _minutes(gone))
        return table

    def _overall(self) -> str:
        """Such as `12 done, 2 running, 1 failed, of 300; 41 slides/h, 7:02 h left`."""
        if not self._total:
            return "starting"
        gone = self._outcomes.total()
        failed = self._outcomes["failed"]
        counts = f"{gone - failed} done, {len(self._running)} running, {failed} failed"
        pace = self._pace()
        return f"{counts}, of {self._total}" + (f"; {', '.join(pace)}" if pace else "")

    def _so_far(self) -> str:
        """Such as `12 of 300, 1 failed, 41 slides/h, 7:02 h left`."""
        parts = [f"{self._outcomes.total()} of {self._total}"]
        if self._outcomes["failed"]:
            parts.append(f"{self._outcomes['failed']} failed")
        return ", ".join([*parts, *self._pace()])

    def _pace(self) -> list[str]:
        """Slides an hour and the time left, once there is anything to tell them by."""
        gone = self._outcomes.total()
        worked = gone - self._outcomes["kept"]  # those are gone through in no time
        hours = (time.monotonic() - self._started) / 3600
        if not worked or not hours:
            return []
        minutes = round((self._total - gone) * hours / worked * 60)
        return [f"{worked / hours:.0f} slides/h", f"{minutes // 60}:{minutes % 60:02d} h left"]


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
