"""The verb `glisson phantom`: synthetic biopsy slides with their truth, one or a whole study."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from glisson.cli.commands import OUTPUT, Verb, new_group
from glisson.cli.console import console, output
from glisson.cli.options import Out, Seed
from glisson.errors import SettingsError
from glisson_phantom import DIAGNOSES, SITES, PhantomSettings, plan_cohort
from glisson_phantom.output.phantom_slide import make_phantom
from glisson_phantom.output.study import make_cohort
from glisson_phantom.writing import PyramidStyle

BIOPSY, DISEASE, SCAN = "Biopsy", "Disease", "Stain and scan"
_SLIDE_EXAMPLES = """\
glisson phantom slide phantom.svs --seed 3 --stage 1
glisson phantom slide phantom.ome.tif --length-mm 12 --mpp 0.25"""
_COHORT_EXAMPLES = """\
glisson phantom cohort -o study --share 0.05 --mpp 0.5
glisson phantom cohort -o study --role clinical"""

app = new_group("Draw synthetic biopsies with exact truth.")

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
    (".svs", "aperio"),
    (".ome.tif", "ome"),
    (".ome.tiff", "ome"),
    (".tif", "tiff"),
    (".tiff", "philips"),
    (".dcm", "dicom"),
)
_RANDOM = "drawn at random"


@app.command("slide", cls=Verb, epilog=_SLIDE_EXAMPLES)
def slide(
    path: Annotated[
        Path,
        typer.Argument(
            help="Slide to write, such as phantom.svs.",
            metavar="SLIDE",
            show_default=False,
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(
            metavar="FORMAT",
            help=f"File format: {', '.join(Format)}.",
            show_default="by the name's ending",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(
            metavar="UM",
            help="The slide's own µm per level-0 pixel.",
            show_default="the site's, or 0.5",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    readers: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Readers whose outlines are drawn, at most 2.",
            max=2,
            rich_help_panel=OUTPUT,
        ),
    ] = 1,
    length_mm: Annotated[
        float,
        typer.Option(metavar="MM", help="Summed length of the cores.", rich_help_panel=BIOPSY),
    ] = 15.0,
    pieces: Annotated[
        int, typer.Option(metavar="N", help="Passes of the needle.", rich_help_panel=BIOPSY)
    ] = 1,
    sections: Annotated[
        int, typer.Option(metavar="N", help="Sections of the same cores.", rich_help_panel=BIOPSY)
    ] = 1,
    gauge: Annotated[
        str | None,
        typer.Option(
            metavar="GAUGE",
            help="14G to 19G or transjugular.",
            show_default=_RANDOM,
            rich_help_panel=BIOPSY,
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="SHAPE",
            help="straight, curved or u.",
            show_default=_RANDOM,
            rich_help_panel=BIOPSY,
        ),
    ] = None,
    diagnosis: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{', '.join(DIAGNOSES)}.",
            show_default=_RANDOM,
            rich_help_panel=DISEASE,
        ),
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Fibrosis stage 0 to 4.",
            show_default=_RANDOM,
            rich_help_panel=DISEASE,
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Stain and scanner: {', '.join(SITES)}.",
            show_default=_RANDOM,
            rich_help_panel=SCAN,
        ),
    ] = None,
    artefacts: Annotated[
        float,
        typer.Option(
            metavar="AMOUNT", help="Pen, dust, folds: 0 none, 1 usual.", rich_help_panel=SCAN
        ),
    ] = 1.0,
    seed: Seed = 0,
) -> None:
    """Draw a synthetic H&E liver biopsy and write its exact truth beside it.

    `.svs` is written as Aperio, `.tif` as a generic pyramid, `.tiff` as Philips, `.ome.tif` as
    OME-TIFF, `.dcm` as a folder of DICOM files.
    """
    style = format.value if format else _style_of(path)
    chosen: dict[str, Any] = {"gauge": gauge, "shape": shape, "diagnosis": diagnosis}
    native_mpp = SITES[site].mpp if site and site in SITES else 0.5
    settings = PhantomSettings(
        seed=seed,
        length_mm=length_mm,
        pieces=pieces,
        ribbons=sections,
        stage=stage,
        site=site,
        mpp=mpp or native_mpp,
        artefacts=artefacts,
        **chosen,
    )
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


@app.command("cohort", cls=Verb, epilog=_COHORT_EXAMPLES)
def cohort(
    out: Out,
    design: Annotated[
        Study, typer.Option(help="Study to imitate.", rich_help_panel=OUTPUT)
    ] = Study.PAPER,
    share: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share of each site's slides.", rich_help_panel=OUTPUT),
    ] = 1.0,
    role: Annotated[
        list[Role] | None,
        typer.Option(
            metavar="ROLE",
            help=f"Only slides of this role: {', '.join(Role)}; may be repeated.",
            show_default="all",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(
            metavar="UM",
            help="The slides' own µm per pixel.",
            show_default="that of each scanner",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Draw a whole study: training, external test and clinical series, with cases.csv.

    The same command resumes a run that was stopped.
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
