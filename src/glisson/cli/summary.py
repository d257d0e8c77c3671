"""The results of a run, as a table that fits 80 columns."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from glisson.cli.console import console, output, warn
from glisson.measurement import SHOWN, BiopsyMeasurements, Tables, list_shown
from glisson.record import BiopsyRecord
from glisson.results import RESEARCH_USE, SlideResult, count_in_words
from glisson.run.executors import Shard
from glisson.run.segment import RunResult

_ROWS = list_shown(BiopsyMeasurements, Tables.SUMMARY)


def print_summary(result: RunResult, shard: Shard | None = None) -> None:
    """Print the table of slides, the warnings, and what to open; after a shard, how to join."""
    table = Table(box=None, pad_edge=False)
    table.add_column("slide", overflow="fold")
    for heading in (*(row.narrow_heading for row in _ROWS), "time\ns"):
        table.add_column(heading, justify="right")
    for slide in result.slides:
        table.add_row(*_row(slide))
    output.print(table)
    for slide in result.slides:
        _print_notes(slide)
    for warning in result.warnings:
        warn(warning)
    output.print(f"\nResults: {result.out}", highlight=False, soft_wrap=True)
    if shard is None:
        _print_what_to_open(result)
    else:
        made = "tables and report.html" if _is_hidden(result) else "report.html and qupath/"
        output.print(
            f"  Shard {shard.number} of {shard.count}. When all have ended, {made} are made by:",
            highlight=False,
        )
        output.print(f"  glisson gather {result.out}", highlight=False, soft_wrap=True)
    output.print(RESEARCH_USE, style="dim")


def _row(slide: SlideResult) -> list[str]:
    if slide.record is None:
        return [escape(slide.name), "[red]failed[/]", *[""] * len(_ROWS)]
    seconds = sum(slide.record.seconds_per_stage.values())
    numbers = (row.text_of(slide.biopsy) for row in _ROWS)
    return [escape(slide.name), *numbers, f"{seconds:.1f}"]


def _print_notes(slide: SlideResult) -> None:
    name, record = escape(slide.name), slide.record
    if record is not None:
        if record.slide.synthetic:
            output.print(f"{name}: SYNTHETIC, no patient's", highlight=False)
        output.print(f"{name}: {adequacy_line(record)}", highlight=False)
        if record.candidates is not None and record.candidates.count:
            candidates = count_in_words(record.candidates)
            output.print(
                f"{name}: {candidates} not counted: accept or delete them in QuPath",
                highlight=False,
            )
    if slide.error:
        console.print(f"[red]{name}:[/] {escape(slide.error)}", highlight=False)
    if record is not None:
        print_warnings(slide.name, record)


def print_warnings(name: str, record: BiopsyRecord) -> None:
    """Print the warnings of a slide, and why its tracts are not counted."""
    reason = record.biopsy.tract_count_reason
    for warning in (*record.warnings, *([reason] if reason else [])):
        console.print(f"[yellow]{escape(name)}:[/] {escape(warning)}", highlight=False)


def adequacy_line(record: BiopsyRecord) -> str:
    """Name the verdicts of the standards shown by default, and how many sections there are."""
    plausibility = record.plausibility
    if plausibility is not None and plausibility.withheld and record.source == "model":
        return f"adequacy withheld ({plausibility.verdict})"
    sections = record.biopsy.section_count
    where = f" (one of {sections} sections)" if sections > 1 else ""
    shown = [f"{each.title} {each.verdict}" for each in record.adequacy if each.standard in SHOWN]
    return f"{', '.join(shown)}{where}"


def _print_what_to_open(result: RunResult) -> None:
    if result.folder_total > len(result.slides):
        output.print(
            f"  Tables and report hold all {result.folder_total} slides of the folder.",
            highlight=False,
        )
    output.print("  report.html      the run on one page, in any browser", highlight=False)
    if not _is_hidden(result):
        output.print(
            "  qupath/          a QuPath project: open, then run its import script", highlight=False
        )


def _is_hidden(result: RunResult) -> bool:
    return any(slide.pseudonym for slide in result.slides)
