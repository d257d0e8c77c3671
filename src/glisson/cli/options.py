"""Options that several verbs share: one meaning each, everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Precision(StrEnum):
    """Arithmetic of the model on the processor."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


class RuntimeKind(StrEnum):
    """What runs the model."""

    AUTO = "auto"
    OPENVINO = "openvino"
    TORCH = "torch"


Slides = Annotated[
    list[str] | None,
    typer.Argument(
        help="Slide files, folders of slides, or quoted patterns; here or on a store (s3://...).",
        show_default=False,
    ),
]
Manifest = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        help="CSV with the column slide and any of mpp, sections, patient, institution: what is "
        "special about single slides, or the slides themselves.",
    ),
]
Pseudonyms = Annotated[
    Path | None,
    typer.Option(
        "--pseudonyms",
        help="CSV with the columns slide and pseudonym: results, logs and messages then hold the "
        "pseudonym alone, and there is no QuPath project.",
    ),
]
Dask = Annotated[
    str | None,
    typer.Option("--dask", help="Work on the Dask cluster with this scheduler (address or file)."),
]
ShardOf = Annotated[
    str | None,
    typer.Option("--shard", help="Do only this part, such as 2/8; then glisson gather."),
]
KeepOld = Annotated[
    bool,
    typer.Option(
        "--keep-old",
        help="Keep slides of other settings, models or versions; a column tells them apart.",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.", show_default=False)]
OutPlace = Annotated[
    str,
    typer.Option(
        "--out", "-o", help="Folder to write to, here or on a store (s3://...).", show_default=False
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Folder for slides fetched from a store.",
        show_default="$GLISSON_CACHE, or the system's",
    ),
]
CacheGb = Annotated[
    float | None,
    typer.Option(
        "--cache-gb",
        help="Its size at most; slides not used for long go first.",
        show_default="$GLISSON_CACHE_GB, or 50",
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Model name or folder; the shipped one if left out."),
]
Mpp = Annotated[
    float | None,
    typer.Option("--mpp", help="Level-0 µm per pixel, where the file has none or a wrong one."),
]
Overlap = Annotated[
    float | None,
    typer.Option(
        "--overlap",
        help="Share of a window that its neighbour covers too; the model's own if left out.",
    ),
]
Sections = Annotated[
    int | None,
    typer.Option(
        "--sections", help="Sections of the same cores on each slide; found out if left out."
    ),
]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Processor threads; all if left out.")
]
Precisions = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="Arithmetic of the model; auto is the fastest that keeps the answer.",
    ),
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Compute in f32 everywhere, on every processor alike.")
]
Runtimes = Annotated[RuntimeKind, typer.Option("--runtime", help="What runs the model.")]
