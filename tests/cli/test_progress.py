"""What a run shows as it goes: a live table on a terminal, a line a slide in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from glisson.cli import progress
from glisson.cli.progress import RunTable


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, moved by the test."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def terminal(width: int = 80) -> Console:
    return Console(force_terminal=True, record=True, width=width, file=io.StringIO())


def shown(table: RunTable) -> list[str]:
    console = terminal()
    console.print(table.draw())
    return [line.rstrip() for line in console.export_text().splitlines()]


def two_slides_at_work(table: RunTable, clock: list[float]) -> None:
    for number, (name, outcome) in enumerate((("a", "kept"), ("b", "done"), ("c", "failed")), 1):
        table.slide_started(name, number, 7)
        table.slide_finished(name, outcome)
    for number, name in enumerate(("d", "e"), 4):
        table.slide_started(name, number, 7)
    table.stage_started("d", "segment")
    table.stage_progressed("d", 3, 4)
    clock[0] = 90.0


def test_on_a_terminal_it_is_a_table_of_the_run(clock: list[float]) -> None:
    table = RunTable(terminal())
    two_slides_at_work(table, clock)
    overall, first, second = shown(table)
    # two slides took the 90 s; the one that was kept took none
    assert overall == "2 done, 2 running, 1 failed, of 7; 80 slides/h, 0:03 h left"
    assert first.split()[1:3] == ["d", "segmenting"]
    assert first.count("━") > second.count("━")
    assert first.endswith("1:30")
    assert second.split()[1:] == ["e", "opening", "1:30"]


def test_what_is_shown_live_is_that_table(clock: list[float]) -> None:
    console = terminal()
    with RunTable(console) as table:
        two_slides_at_work(table, clock)
        table._live.refresh()  # type: ignore[union-attr]
    text = console.export_text()
    assert "2 done, 2 running, 1 failed, of 7" in text
    assert "segmenting" in text


def test_in_a_log_it_is_a_line_a_slide(clock: list[float]) -> None:
    file = io.StringIO()
    with RunTable(Console(file=file, width=200)) as table:
        two_slides_at_work(table, clock)
        table.slide_finished("d", "done")
    assert file.getvalue().splitlines() == [
        "kept a (1 of 7)",
        "done b (2 of 7)",
        "failed c (3 of 7, 1 failed)",
        "done d (4 of 7, 1 failed, 120 slides/h, 0:02 h left)",
    ]


def test_one_slide_has_a_line_and_no_totals(clock: list[float]) -> None:
    table = RunTable(terminal())
    table.slide_started("only", 1, 1)
    table.stage_started("only", "tissue")
    (line,) = shown(table)
    assert "only finding tissue" in " ".join(line.split())


def test_more_slides_than_lines(clock: list[float]) -> None:
    table = RunTable(terminal())
    for number in range(1, 41):
        table.slide_started(f"slide {number}", number, 300)
    lines = shown(table)
    assert lines[0].startswith("0 done, 40 running, 0 failed, of 300")
    assert lines[-1].strip() == "and 28 more"


def test_names_that_look_like_markup_stay(clock: list[float]) -> None:
    table = RunTable(terminal())
    table.slide_started("a[red]b", 1, 2)
    assert "a[red]b" in shown(table)[1]
