"""Options that several verbs share: one name and one meaning everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glisson.cli.commands import ADVANCED, CLUSTER, INPUT, MEASURING, MODEL, OUTPUT


class Precision(StrEnum):
    """Arithmetic of the model where it runs."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


class RuntimeKind(StrEnum):
    """Library that runs the model."""

    AUTO = "auto"
    OPENVINO = "openvino"
    TORCH = "torch"


Slides = Annotated[
    list[str] | None,
    typer.Argument(
        help="Slide files, folders of slides, or quoted patterns; here or on a store (s3://...).",
        metavar="SLIDES",
        show_default=False,
    ),
]
Manifest = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        metavar="CSV",
        help="Table with the column slide and any of mpp, sections, series, patient, "
        "institution. Its slides are segmented; with SLIDES it only describes them.",
        rich_help_panel=INPUT,
    ),
]
Pseudonyms = Annotated[
    Path | None,
    typer.Option(
        "--pseudonyms",
        metavar="CSV",
        help="Table with the columns slide and pseudonym. Results, logs and messages then hold "
        "the pseudonym alone, and there is no QuPath project.",
        rich_help_panel=INPUT,
    ),
]
Mpp = Annotated[
    float | None,
    typer.Option(
        "--mpp",
        metavar="UM",
        help="The slide's own µm per level-0 pixel, where its file has none or a wrong one.",
        rich_help_panel=INPUT,
    ),
]
Series = Annotated[
    int | None,
    typer.Option(
        "--series",
        metavar="N",
        help="Number of the image in TIFF files of several, from 0.",
        show_default="the only scan",
        rich_help_panel=INPUT,
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder to write to.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
OutPlace = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder to write to, here or on a store (s3://...).",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Segment again the slides that have results.",
        rich_help_panel=OUTPUT,
    ),
]
KeepOld = Annotated[
    bool,
    typer.Option(
        "--keep-old",
        help="Keep slides of other settings, models or versions; a column tells them apart.",
        rich_help_panel=OUTPUT,
    ),
]
QuPath = Annotated[
    str | None,
    typer.Option(
        "--qupath",
        help="QuPath's program: import the outlines into the project, without a window.",
        metavar="PROGRAM",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Model's name or folder.",
        show_default="the shipped model",
        rich_help_panel=MODEL,
    ),
]
Overlap = Annotated[
    float | None,
    typer.Option(
        "--overlap",
        metavar="SHARE",
        help="Overlap of neighbouring windows, 0 to 0.75.",
        show_default="the model's",
        rich_help_panel=MODEL,
    ),
]
Precisions = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="Arithmetic of the model. f32 is the same on every processor; auto is the fastest "
        "that keeps the answer.",
        rich_help_panel=MODEL,
    ),
]
Runtimes = Annotated[
    RuntimeKind,
    typer.Option("--runtime", help="Library that runs the model.", rich_help_panel=MODEL),
]
Sections = Annotated[
    int | None,
    typer.Option(
        "--sections",
        metavar="N",
        help="Sections of the same cores on each slide.",
        show_default="found by shape",
        rich_help_panel=MEASURING,
    ),
]
InterfaceWidth = Annotated[
    float,
    typer.Option(
        "--interface-width",
        metavar="UM",
        help="Width in µm of the band of lobule around tracts.",
        rich_help_panel=MEASURING,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Scheduler of the Dask cluster to run on: its address, or its file.",
        rich_help_panel=CLUSTER,
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="N/COUNT",
        help="Segment only this shard of the slides, such as 2/8; then run `glisson gather`.",
        rich_help_panel=CLUSTER,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="Folder for temporary copies of slides and results on stores.",
        show_default="$GLISSON_CACHE, or the system's",
        rich_help_panel=CLUSTER,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Processor threads.",
        show_default="all",
        rich_help_panel=ADVANCED,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        help="Seed of all random numbers; the same seed gives the same result.",
        rich_help_panel=ADVANCED,
    ),
]
