"""Sentences beside numbers that lie near a limit, or that no needle biopsy has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glisson.measurement.adequacy import SectionSize, judge
from glisson.measurement.length import LEAST_LENGTH_UM, LENGTH_RAMP_UM
from glisson.measurement.measurements import BiopsyMeasurements, Measurements
from glisson.regions import Regions

WIDEST_NEEDLE_UM = 1600.0
"""Inner diameter of a 14G needle, the widest in use for liver biopsies."""
LENGTH_SPREAD = 0.03
"""Share by which the length of the same tissue differs when it is turned (docs/measure.md)."""
_MOST_NAMED = 10


def list_doubts(measured: Measurements, regions: Regions) -> tuple[str, ...]:
    """List the warnings that stand beside a slide's numbers.

    Args:
        measured: numbers of the slide.
        regions: the same slide's regions, which say what lies near the model's limit.
    """
    return (
        *_doubt_width(measured.biopsy),
        *_doubt_fragments(measured),
        *_doubt_tracts(regions),
        *_doubt_adequacy(measured, regions),
    )


def _doubt_width(biopsy: BiopsyMeasurements) -> Iterator[str]:
    width_um = biopsy.mean_width_um
    if width_um is not None and width_um > WIDEST_NEEDLE_UM:
        yield (
            f"The tissue is {width_um / 1000:.1f} mm wide on average, and the widest needle (14G) "
            f"is {WIDEST_NEEDLE_UM / 1000:g} mm inside. The pixel size may be wrong: every length "
            "and area then is too. Check it and give the right one with --mpp; a wedge, or cores "
            "side by side, may be as wide."
        )


def _doubt_fragments(measured: Measurements) -> Iterator[str]:
    longest_mm = (LEAST_LENGTH_UM + LENGTH_RAMP_UM) / 1000
    near = [
        f"fragment {each.number} ({each.length_mm:.2f} mm, {each.length_share:.0%} counts)"
        for each in measured.fragments
        if each.length_share and (each.length_share < 1 or each.length_mm < longest_mm)
    ]
    if near:
        yield (
            f"Near the size from which a piece is a core ({LEAST_LENGTH_UM / 1000:g} mm long, a "
            f"square of the cores' width large): {_name(near)}. The length holds that share of it."
        )


def _doubt_tracts(regions: Regions) -> Iterator[str]:
    tracts = [str(each.number) for each in regions.tracts if each.near_limit]
    candidates = [f"C{each.number}" for each in regions.candidates if each.near_limit]
    if not tracts and not candidates:
        return
    total = len(regions.tracts)
    yield (
        f"Near the model's limit of a portal tract: {_name([*tracts, *candidates])}. Another scan "
        f"or a turn of the slide may outline {total - len(tracts)} to {total + len(candidates)} "
        f"portal areas instead of {total}."
    )


def _doubt_adequacy(measured: Measurements, regions: Regions) -> Iterator[str]:
    """Name the standards whose verdict a small change of length and count alters."""
    biopsy = measured.biopsy
    if all(each.verdict == "not assessable" for each in measured.adequacy):
        return
    is_drawn = regions.portal_area_range_um2 is None
    change = 0.0 if is_drawn else 1 / biopsy.section_count
    low, high = (judge(_resize(biopsy, sign, change)) for sign in (-1, 1))
    titles = [
        f"{less.title} ({less.verdict} or {more.verdict})"
        for less, more in zip(low, high, strict=True)
        if less.verdict != more.verdict
    ]
    if titles:
        length_mm = biopsy.length_per_section_mm
        counts = "" if is_drawn else ", or one tract more or less,"
        yield (
            f"Near a limit of adequacy: {_name(titles)}. The verdict changes within the spread of "
            f"the length ({length_mm:.1f} ± {LENGTH_SPREAD * length_mm:.1f} mm){counts} which a "
            "turn of the slide gives."
        )


def _resize(biopsy: BiopsyMeasurements, sign: int, change: float) -> SectionSize:
    def move(count: float | None) -> float | None:
        return None if count is None else max(0.0, count + sign * change)

    return SectionSize(
        biopsy.length_per_section_mm * (1 + sign * LENGTH_SPREAD),
        move(biopsy.tract_count_per_section),
        move(biopsy.tract_count_complete_per_section),
        biopsy.tract_count_reason,
    )


def _name(items: Sequence[str]) -> str:
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return ", ".join(items[:_MOST_NAMED]) + more
