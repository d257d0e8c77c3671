"""The plausibility gate: stain first, then hepatocytes; fixed limits, no learning."""

from __future__ import annotations

from dataclasses import replace

from glisson.plausibility.doubts import doubt_nuclei, doubt_strength
from glisson.plausibility.parenchyma import Parenchyma, measure_parenchyma
from glisson.plausibility.plausibility import Measure, Plausibility, Verdict
from glisson.plausibility.settings import PlausibilitySettings
from glisson.plausibility.stain import (
    StainHue,
    StainStrength,
    measure_stain,
    measure_strength,
)
from glisson.slides import Slide
from glisson.tissue import TissueMap


def assess_plausibility(
    slide: Slide, tissue: TissueMap, settings: PlausibilitySettings | None = None
) -> Plausibility:
    """Assess whether a slide can be H&E of liver.

    The tissue finder's picture (4 µm/px) decides on the stain, and at most `settings.most_fields`
    small fields of 1 µm/px on the organ. The model's output is not used.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    settings = settings or PlausibilitySettings()
    hue, strength = measure_stain(tissue, settings), measure_strength(tissue)
    stain = _list_stain_measures(tissue, hue, strength, settings)
    faint = Measure(
        "green_od",
        None if strength is None else strength.green_od,
        settings.least_green_od,
        "least",
    )
    doubts = (doubt_strength(faint),) if faint.is_broken else ()
    if reasons := _explain_stain(stain):
        return Plausibility("not H&E", reasons, (*stain, faint), None, doubts)
    seen = Parenchyma(0, 0) if tissue.is_empty else measure_parenchyma(slide, tissue, settings)
    found = judge_organ(seen, (*stain, faint), settings)
    if seen.field_count >= settings.least_fields and (
        doubt := doubt_nuclei(seen.nucleus_um2, slide.info.pixel_size, settings)
    ):
        doubts = (*doubts, doubt)
    return replace(found, doubts=doubts)


def judge_organ(
    seen: Parenchyma, stain: tuple[Measure, ...], settings: PlausibilitySettings
) -> Plausibility:
    """Judge the organ of a slide whose stain is plausible."""
    organ = Measure("liver_share", seen.liver_share, settings.least_liver_share, "least")
    verdict: Verdict = "plausible"
    reasons: tuple[str, ...] = ()
    least = max(settings.least_fields, settings.least_sharp_share * seen.fields_read)
    if seen.field_count < least:
        verdict, reasons = "not assessable", (_explain_too_few(seen, settings),)
    elif organ.is_broken:
        verdict, reasons = "perhaps not liver", (_explain_organ(seen, settings),)
    return Plausibility(verdict, reasons, (*stain, organ), seen)


def _list_stain_measures(
    tissue: TissueMap,
    hue: StainHue | None,
    strength: StainStrength | None,
    settings: PlausibilitySettings,
) -> tuple[Measure, ...]:
    foreign, red = (None, None) if hue is None else (hue.foreign_share, hue.red_over_green)
    return (
        Measure("glass_grey", sum(tissue.background_rgb) / 3, settings.dark_glass, "least"),
        Measure("foreign_hue_share", foreign, settings.most_foreign, "most"),
        Measure("red_over_green_od", red, settings.most_red, "most"),
        Measure(
            "red_over_blue_od",
            None if strength is None else strength.red_over_blue,
            settings.most_red_over_blue,
            "most",
        ),
    )


_STAIN_REASONS = {
    "glass_grey": (
        "The background has grey value {value:.0f} of 255, and bright field has {limit:.0f} or "
        "more (fluorescence or dark field?)."
    ),
    "foreign_hue_share": (
        "{value:.0%} of the stained tissue absorbs red or blue light more than green; "
        "H&E has at most {limit:.0%} (another stain, or fluorescence?)."
    ),
    "red_over_green_od": (
        "Red light is absorbed {value:.2f} times as much as green, with eosin at most "
        "{limit:.2f} times (haematoxylin alone, immunohistochemistry, or grey?)."
    ),
    "red_over_blue_od": (
        "Red and blue seem to be swapped: the tissue absorbs red light {value:.2f} times as much "
        "as blue, and its dark parts relatively less red; H&E has at most {limit:.2f}. Save the "
        "picture again with its channels in the order red, green, blue."
    ),
}


def _explain_stain(measures: tuple[Measure, ...]) -> tuple[str, ...]:
    return tuple(
        _STAIN_REASONS[measure.name].format(value=measure.value, limit=measure.limit)
        for measure in measures
        if measure.is_broken
    )


def _explain_organ(seen: Parenchyma, settings: PlausibilitySettings) -> str:
    return (
        f"{seen.liver_share:.0%} of {seen.field_count} fields show single round nuclei in "
        f"unaligned tissue, as hepatocytes do; liver has {settings.least_liver_share:.0%} or more "
        "(another organ, a wrong pixel size, or hardly any parenchyma?)."
    )


def _explain_too_few(seen: Parenchyma, settings: PlausibilitySettings) -> str:
    return (
        f"{seen.field_count} of {seen.fields_read} fields of {settings.field_um:g} µm are in focus "
        f"at {settings.field_mpp:g} µm/px; the organ is judged by {settings.least_fields} or more, "
        f"and at least {settings.least_sharp_share:.0%} of them."
    )
