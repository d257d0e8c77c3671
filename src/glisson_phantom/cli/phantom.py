"""`glisson phantom`: synthetic biopsy slides with their truth, one or a whole study."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from glisson.cli.console import console, output
from glisson.errors import SettingsError
from glisson_phantom import DIAGNOSES, SITES, PhantomSettings, plan_cohort
from glisson_phantom.output.phantom_slide import make_phantom
from glisson_phantom.output.study import make_cohort
from glisson_phantom.writing import PyramidStyle

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Synthetic biopsies with exact truth."
)

NOTICE = "SYNTHETIC: agreement that was built into the generator proves nothing about patients."


class Format(StrEnum):
    """File format of a phantom slide."""

    APERIO = "aperio"
    TIFF = "tiff"
    PHILIPS = "philips"
    OME = "ome"
    DICOM = "dicom"


class Study(StrEnum):
    """Design of a cohort."""

    PAPER = "paper"


class Role(StrEnum):
    """What slides of a cohort are for."""

    TRAIN = "train"
    TEST = "test"
    CLINICAL = "clinical"


_FORMATS: tuple[tuple[str, PyramidStyle], ...] = (
    (".svs", "aperio"), (".ome.tif", "ome"), (".ome.tiff", "ome"), (".tif", "tiff"),
    (".tiff", "philips"), (".dcm", "dicom"),
)  # fmt: skip
_RANDOM = "drawn at random"


@app.command("slide")
def slide(
    path: Annotated[Path, typer.Argument(help="Slide to write, such as phantom.svs.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same slide.")] = 0,
    length_mm: Annotated[float, typer.Option(help="Summed length of the cores.")] = 15.0,
    pieces: Annotated[int, typer.Option(help="Passes of the needle.")] = 1,
    ribbons: Annotated[int, typer.Option(help="Sections of the same cores.")] = 1,
    diagnosis: Annotated[
        str | None, typer.Option(help=f"{', '.join(DIAGNOSES)}.", show_default=_RANDOM)
    ] = None,
    stage: Annotated[
        int | None, typer.Option(help="Fibrosis stage 0 to 4.", show_default=_RANDOM)
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(help=f"Stain and scanner: {', '.join(SITES)}.", show_default=_RANDOM),
    ] = None,
    gauge: Annotated[
        str | None, typer.Option(help="14G to 19G or transjugular.", show_default=_RANDOM)
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="straight, curved or u.", show_default=_RANDOM)
    ] = None,
    mpp: Annotated[
        float | None, typer.Option(help="Level-0 µm per pixel.", show_default="the site's, or 0.5")
    ] = None,
    artefacts: Annotated[float, typer.Option(help="Pen, dust, folds: 0 none, 1 as usual.")] = 1.0,
    readers: Annotated[int, typer.Option(help="Readers whose outlines to draw.", max=2)] = 1,
    format: Annotated[
        Format | None, typer.Option(help="File format.", show_default="by the name's ending")
    ] = None,
) -> None:
    """Draw a synthetic H&E liver biopsy and write its exact truth beside it.

    `.svs` is written as Aperio, `.tif` as a generic pyramid, `.tiff` as Philips, `.ome.tif` as
    OME-TIFF, `.dcm` as a folder of DICOM files.
    """
    style = format.value if format else _style_of(path)
    chosen: dict[str, Any] = {"gauge": gauge, "shape": shape, "diagnosis": diagnosis}
    native_mpp = SITES[site].mpp if site and site in SITES else 0.5
    settings = PhantomSettings(
        seed=seed, length_mm=length_mm, pieces=pieces, ribbons=ribbons, stage=stage, site=site,
        mpp=mpp or native_mpp, artefacts=artefacts, **chosen,
    )  # fmt: skip
    with console.status(f"drawing {path.name}"):
        made = make_phantom(path, settings, style, os.cpu_count() or 1, readers)
    biopsy = made.measurements.biopsy
    title = f"{DIAGNOSES[made.diagnosis].name}, stage {made.stage}"
    output.print(f"{path}  SYNTHETIC  seed {seed}, {title}", highlight=False)
    output.print(
        f"  {biopsy.tissue_area_mm2:.2f} mm² tissue, {made.centreline_length_mm:.1f} mm long, "
        f"{len(made.regions.tracts)} portal tracts",
        highlight=False,
    )
    output.print(f"  truth: {made.truth_path}", highlight=False, soft_wrap=True)


@app.command("cohort")
def cohort(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    design: Annotated[Study, typer.Option(help="Which study to imitate.")] = Study.PAPER,
    seed: Annotated[int, typer.Option(help="The same seed gives the same study.")] = 0,
    share: Annotated[float, typer.Option(help="Part of each site's slides.")] = 1.0,
    mpp: Annotated[
        float | None,
        typer.Option(help="µm per pixel of every slide.", show_default="its scanner's own"),
    ] = None,
    role: Annotated[
        list[Role] | None,
        typer.Option(help="Only these slides; may be repeated.", show_default="all"),
    ] = None,
) -> None:
    """Draw a whole study: training, external test and clinical series, with cases.csv.

    Stopped and run again, it goes on where it was.
    """
    cases = plan_cohort(design.value, seed, share, mpp)
    cases = [case for case in cases if not role or case.role in role]
    with console.status("planning") as status:
        table = make_cohort(
            out,
            cases,
            os.cpu_count() or 1,
            lambda done, all_, name: status.update(f"slide {done + 1} of {all_}: {name}"),
        )
    output.print(f"{len(cases)} slides, cases in {table}", highlight=False, soft_wrap=True)
    output.print(NOTICE, style="dim")


def _style_of(path: Path) -> PyramidStyle:
    for ending, style in _FORMATS:
        if path.name.lower().endswith(ending):
            return style
    endings = ", ".join(ending for ending, _ in _FORMATS)
    raise SettingsError(f"{path.name}: a phantom's name ends in one of {endings}.")
