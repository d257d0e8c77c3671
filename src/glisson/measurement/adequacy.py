"""Whether a biopsy is large enough, by published standards; each is a row of data.

Lengths and counts are those of one section: a biopsy cut three times is not three biopsies.
Tracts that bridge cannot be counted, and a standard that needs the count then says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["adequate", "compromised", "inadequate", "not assessable"]
Logic = Literal["all", "any"]


@dataclass(frozen=True)
class Needs:
    """What a standard asks of one section.

    Attributes:
        length_mm: at least so long, or None.
        tracts: at least so many portal tracts, or None.
        complete: whether only complete tracts count.
        logic: whether `all` of it must hold, or `any`.
    """

    length_mm: float | None = None
    tracts: int | None = None
    complete: bool = False
    logic: Logic = "all"


@dataclass(frozen=True)
class Standard:
    """One published standard.

    Attributes:
        key: name in files and columns.
        title: name for people.
        needs: what makes a biopsy adequate.
        least: what makes one that falls short compromised rather than inadequate; None if
            `below` says it for all.
        below: verdict on a biopsy that meets neither.
        citation: where it is from.
        note: what of it cannot be seen on a slide, or how it was read.
    """

    key: str
    title: str
    needs: Needs
    least: Needs | None
    below: Verdict
    citation: str
    note: str = ""


STANDARDS = (
    Standard(
        "aasld_2009", "AASLD 2009", Needs(20.0, 11, complete=True), None, "compromised",
        "Rockey et al., Hepatology 2009;49:1017",
        "Also asks for a needle of 16G or wider, which no slide shows. Below it, the report is to "
        "say that grade and stage may be wrong. Figures as audits quote them; the guideline itself "
        "was not read.",
    ),
    Standard(
        "rcpath_minimum", "RCPath minimum", Needs(10.0, 6), None, "inadequate",
        "Royal College of Pathologists, tissue pathway for liver biopsies 2008 and 2014; as "
        "applied by Fryer et al., J Clin Pathol 2013",
        "Counts all tracts: whether complete ones are meant was not read in the pathway.",
    ),
    Standard(
        "rcpath_optimum", "RCPath optimum", Needs(20.0, 11), Needs(10.0, 6), "inadequate",
        "Royal College of Pathologists, tissue pathway for liver biopsies 2008 and 2014; as "
        "applied by Fryer et al., J Clin Pathol 2013",
        "Between minimum and optimum: compromised. Counts all tracts: whether complete ones are "
        "meant was not read in the pathway.",
    ),
    Standard(
        "guido_rugge_2004", "Guido & Rugge 2004", Needs(20.0, 11, complete=True), None,
        "inadequate",
        "Guido & Rugge, Semin Liver Dis 2004;24:89; after Colloredo et al., J Hepatol 2003;39:239",
        "Such a sample should be reliable in chronic viral hepatitis, they write; to call less "
        "inadequate is Glisson's reading.",
    ),
    Standard(
        "cholongitas_2006", "Cholongitas 2006",
        Needs(20.0, 12, complete=True, logic="any"), None, "compromised",
        "Cholongitas et al., Am J Clin Pathol 2006;125:710",
        "20 to 25 mm and/or more than 11 complete tracts are called optimal; to call less "
        "compromised is Glisson's reading.",
    ),
    Standard(
        "easl_2015", "EASL 2015", Needs(25.0), Needs(15.0), "inadequate",
        "EASL-ALEH guidelines on non-invasive tests, J Hepatol 2015;63:237",
        "25 mm is called optimal; above 15 mm, by a 16G needle, which no slide shows, is what is "
        "recommended: between, compromised. To call less inadequate is Glisson's reading.",
    ),
)  # fmt: skip
"""The standards that are shipped (docs/measure.md, Adequacy)."""

SHOWN = ("aasld_2009", "rcpath_optimum")
"""Keys of the standards that summaries show."""


@dataclass(frozen=True)
class SectionSize:
    """What standards look at, of one section.

    Attributes:
        length_mm: length of the cores.
        tracts: portal tracts; None where they cannot be counted.
        complete_tracts: complete ones; None likewise.
        not_countable_reason: why not, or None.
    """

    length_mm: float
    tracts: float | None
    complete_tracts: float | None
    not_countable_reason: str | None = None


@dataclass(frozen=True)
class Adequacy:
    """A standard's verdict.

    Attributes:
        standard: key of the standard.
        title: its name for people.
        verdict: `adequate`, `compromised`, `inadequate` or `not assessable`.
        reason: what was found of what was asked for, and why a count is missing.
        length_missing_mm: what is missing to an adequate length; None if it asks for none.
        tracts_missing: tracts that are missing; None if it asks for none, or they are not
            countable.
        logic: whether `all` criteria must hold or `any`.
        citation: the standard's source.
        note: what of it cannot be seen on a slide, or how it was read.
    """

    standard: str
    title: str
    verdict: Verdict
    reason: str
    length_missing_mm: float | None
    tracts_missing: float | None
    logic: Logic
    citation: str
    note: str


def judge(size: SectionSize) -> tuple[Adequacy, ...]:
    """Judge a biopsy by every shipped standard."""
    return tuple(_judge(standard, size) for standard in STANDARDS)


def _judge(standard: Standard, size: SectionSize) -> Adequacy:
    needs = standard.needs
    return Adequacy(
        standard=standard.key,
        title=standard.title,
        verdict=_verdict(standard, size),
        reason=_reason(needs, size),
        length_missing_mm=_missing(needs.length_mm, size.length_mm),
        tracts_missing=_missing(needs.tracts, _count(needs, size)),
        logic=needs.logic,
        citation=standard.citation,
        note=standard.note,
    )


def _verdict(standard: Standard, size: SectionSize) -> Verdict:
    """Return the verdict; an unknown count leaves open only verdicts that need it."""
    is_met = _is_met(standard.needs, size)
    if is_met is None:
        return "not assessable"
    if is_met:
        return "adequate"
    is_least_met = None if standard.least is None else _is_met(standard.least, size)
    if standard.least is not None and is_least_met is None:
        return "not assessable"
    return "compromised" if is_least_met else standard.below


def _is_met(needs: Needs, size: SectionSize) -> bool | None:
    """Return whether the needs are met, or None where that depends on an unknown count."""
    answers: list[bool | None] = []
    if needs.length_mm is not None:
        answers.append(size.length_mm >= needs.length_mm)
    if needs.tracts is not None:
        count = _count(needs, size)
        answers.append(None if count is None else count >= needs.tracts)
    decisive = needs.logic == "any"
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive


def _count(needs: Needs, size: SectionSize) -> float | None:
    return size.complete_tracts if needs.complete else size.tracts


def _missing(needed: float | None, found: float | None) -> float | None:
    return None if needed is None or found is None else max(0.0, needed - found)


def _reason(needs: Needs, size: SectionSize) -> str:
    parts = []
    if needs.length_mm is not None:
        parts.append(_compare("mm", size.length_mm, needs.length_mm, "{:.2f}".format))
    if needs.tracts is not None:
        kind = "complete tracts" if needs.complete else "tracts"
        count = _count(needs, size)
        why = (size.not_countable_reason or "").rstrip(".")
        parts.append(
            f"{needs.tracts} {kind}, which cannot be counted ({why})"
            if count is None
            else _compare(kind, count, float(needs.tracts), _whole_if_whole)
        )
    joined = (" and " if needs.logic == "all" else " or ").join(parts)
    return f"{joined}, in one section."


def _compare(unit: str, found: float, needed: float, write: Callable[[float], str]) -> str:
    missing = f" ({write(needed - found)} missing)" if found < needed else ""
    return f"{write(found)} of {needed:g} {unit}{missing}"


def _whole_if_whole(value: float) -> str:
    """Format a count, which is a fraction where it is the mean of several sections."""
    return f"{round(value, 2):g}"
