"""What a run found, as a table that fits 80 columns."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from glisson.cli.console import console, output, warn
from glisson.measurement import SHOWN
from glisson.results import RESEARCH_USE, SlideResult, count_in_words
from glisson.run.executors import Shard
from glisson.run.segment import RunResult

_HEADINGS = (
    "length\nmm", "tissue\nmm²", "portal\n%", "tracts", "com-\nplete", "par-\ntial", "time\ns",
)  # fmt: skip


def print_summary(result: RunResult, part: Shard | None = None) -> None:
    """The table of slides, the warnings, and what to open; after a part, how to join them."""
    table = Table(box=None, pad_edge=False)
    table.add_column("slide", overflow="fold")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for slide in result.slides:
        table.add_row(*_row(slide))
    output.print(table)
    for slide in result.slides:
        _print_notes(slide)
    for warning in result.warnings:
        warn(warning)
    output.print(f"\nResults: {result.out}", highlight=False, soft_wrap=True)
    if part is None:
        _print_what_to_open(result)
    else:
        _print_how_to_join(result, part)
    output.print(RESEARCH_USE, style="dim")


def _row(slide: SlideResult) -> list[str]:
    if slide.outcome == "failed":
        return [escape(slide.name), "[red]failed[/]", "", "", "", "", "", ""]
    biopsy = slide.record["biopsy"]
    seconds = sum(slide.record["seconds_per_stage"].values())
    return [
        escape(slide.name),
        f"{biopsy['length_mm']:.1f}",
        f"{biopsy['tissue_area_mm2']:.2f}",
        portal_percent(biopsy),
        number(biopsy["tract_count_total"]),
        number(biopsy["tract_count_complete"]),
        number(biopsy["tract_count_partial"]),
        f"{seconds:.1f}",
    ]


def number(value: float | None, style: str = "d") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, style)


def portal_percent(biopsy: dict[str, Any]) -> str:
    """Write portal percent with its uncertainty, where the record has one."""
    percent, uncertainty = biopsy["portal_percent"], biopsy.get("portal_percent_uncertainty")
    return number(percent, ".1f") + ("" if uncertainty is None else f" ± {uncertainty:.1f}")


def _print_notes(slide: SlideResult) -> None:
    if slide.record:
        if slide.record["slide"].get("synthetic"):
            output.print(f"{escape(slide.name)}: SYNTHETIC, no patient's", highlight=False)
        text = adequacy_line(slide.record)
        output.print(f"{escape(slide.name)}: {text}", highlight=False)
        candidates = slide.record.get("candidates")
        if candidates and candidates["count"]:
            said = f"{count_in_words(candidates)} not counted: accept or delete them in QuPath"
            output.print(f"{escape(slide.name)}: {said}", highlight=False)
    if slide.error:
        console.print(f"[red]{escape(slide.name)}:[/] {escape(slide.error)}", highlight=False)
    for warning in _notes(slide.record):
        console.print(f"[yellow]{escape(slide.name)}:[/] {escape(warning)}", highlight=False)


def adequacy_line(record: dict[str, Any]) -> str:
    """What the standards shown by default say, and of how many sections they speak."""
    plausibility = record.get("plausibility", {})
    if plausibility.get("withheld") and record["source"] == "model":
        return f"adequacy withheld ({plausibility['verdict']})"
    sections = record["biopsy"]["section_count"]
    where = f" (one of {sections} sections)" if sections > 1 else ""
    said = [
        f"{each['title']} {each['verdict']}"
        for each in record["adequacy"]
        if each["standard"] in SHOWN
    ]
    return f"{', '.join(said)}{where}"


def _notes(record: dict[str, Any]) -> list[str]:
    if not record:
        return []
    notes = list(record["warnings"])
    reason = record["biopsy"].get("tract_count_reason")
    return [*notes, reason] if reason else notes


def _print_what_to_open(result: RunResult) -> None:
    output.print("  report.html      the run on one page, in any browser", highlight=False)
    if not _is_hidden(result):
        output.print("  qupath/          a QuPath project: open, then run its import script",
                     highlight=False)  # fmt: skip


def _print_how_to_join(result: RunResult, part: Shard) -> None:
    made = "tables and report.html" if _is_hidden(result) else "report.html and qupath/"
    output.print(
        f"  Shard {part.number} of {part.count}. When all have ended, {made} are made by:",
        highlight=False,
    )
    output.print(f"  glisson gather {result.out}", highlight=False, soft_wrap=True)


def _is_hidden(result: RunResult) -> bool:
    return any(slide.pseudonym for slide in result.slides)
