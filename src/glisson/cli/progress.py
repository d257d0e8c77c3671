"""Progress of a run: a live table on a terminal, one plain line for each slide in a log."""

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
    "download": "downloading",
    "tissue": "finding tissue",
    "segment": "segmenting",
    "outline": "tracing tracts",
    "measure": "measuring",
    "write": "writing results",
    "store": "storing results",
}
_MARKS = {"done": "[green]done[/]", "kept": "[cyan]kept[/]", "failed": "[red]failed[/]"}
_MOST_LINES = 12
"""Most slides in the table: a cluster works on more slides than a terminal has lines."""
_BAR_WIDTH = 24


@dataclass
class _Running:
    """A slide in work."""

    started: float
    stage: str = "opening"
    done: int = 0
    total: int = 0


@dataclass
class RunTable:
    """A `RunObserver` that draws with rich.

    Attributes:
        console: to draw on; without a terminal, each slide that ends prints a line.
    """

    console: Console = field(default_factory=lambda: console)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)
    _outcomes: Counter[str] = field(default_factory=Counter, init=False)
    _total: int = field(default=0, init=False)
    _started: float = field(default=0.0, init=False)
    _live: Live | None = field(default=None, init=False)
    _spinner: Spinner = field(init=False)

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._spinner = Spinner("line" if self.console.options.ascii_only else "dots")

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self.draw,
                console=self.console,
                transient=True,
                refresh_per_second=8,
            )
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
        """Add a line for the slide."""
        self._total = total
        self._running[name] = _Running(time.monotonic())

    def stage_started(self, name: str, stage: str) -> None:
        """Show the stage in the slide's line."""
        if name in self._running:
            self._running[name].stage = _STAGES.get(stage, stage)
            self._running[name].done = self._running[name].total = 0

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Move the bar in the slide's line."""
        if name in self._running:
            self._running[name].done, self._running[name].total = done, total

    def slide_finished(self, name: str, outcome: str) -> None:
        """Print the outcome; in a series, with the slides done and the time left."""
        self._running.pop(name, None)
        self._outcomes[outcome] += 1
        series = "" if self._total == 1 else f" [dim]({self._describe_done()})[/]"
        self.console.print(f"{_MARKS[outcome]} {escape(name)}{series}", highlight=False)

    def draw(self) -> RenderableType:
        """Draw a line on the whole run, and a line for each slide in work."""
        running = list(self._running.items())
        lines: list[RenderableType] = [] if self._total == 1 else [Text(self._describe_run())]
        lines.append(self._draw_slides(running[:_MOST_LINES]))
        if len(running) > _MOST_LINES:
            lines.append(Text(f"  and {len(running) - _MOST_LINES} more"))
        return Group(*lines)

    def _draw_slides(self, running: list[tuple[str, _Running]]) -> Table:
        table = Table.grid(padding=(0, 1))
        for _ in range(3):
            table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(width=_BAR_WIDTH)
        table.add_column(justify="right")
        for name, slide in running:
            bar = ProgressBar(slide.total, slide.done) if slide.total else ""
            seconds = int(time.monotonic() - slide.started)
            clock = f"{seconds // 60}:{seconds % 60:02d}"
            table.add_row(self._spinner, Text(name), slide.stage, bar, clock)
        return table

    def _describe_run(self) -> str:
        """Return text such as `12 done, 2 running, 1 failed, of 300; 41 slides/h, 7:02 h left`."""
        if not self._total:
            return "starting"
        failed = self._outcomes["failed"]
        counts = (
            f"{self._outcomes.total() - failed} done, {len(self._running)} running, {failed} failed"
        )
        pace = self._measure_pace()
        return f"{counts}, of {self._total}" + (f"; {', '.join(pace)}" if pace else "")

    def _describe_done(self) -> str:
        """Return text such as `12 of 300, 1 failed, 41 slides/h, 7:02 h left`."""
        parts = [f"{self._outcomes.total()} of {self._total}"]
        if self._outcomes["failed"]:
            parts.append(f"{self._outcomes['failed']} failed")
        return ", ".join([*parts, *self._measure_pace()])

    def _measure_pace(self) -> list[str]:
        """Return slides per hour and the time left; empty before the first slide has ended."""
        ended = self._outcomes.total()
        segmented = ended - self._outcomes["kept"]  # results that were there take no time
        hours = (time.monotonic() - self._started) / 3600
        if not segmented or not hours:
            return []
        minutes = round((self._total - ended) * hours / segmented * 60)
        return [f"{segmented / hours:.0f} slides/h", f"{minutes // 60}:{minutes % 60:02d} h left"]
