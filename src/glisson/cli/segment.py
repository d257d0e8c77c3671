"""`glisson segment`: slides in, portal tracts out."""

from __future__ import annotations

import typer

from glisson.cli.model_choice import say_which_model
from glisson.cli.options import (
    Cache,
    Dask,
    Exact,
    Manifest,
    Model,
    Mpp,
    OutPlace,
    Overlap,
    Precision,
    Precisions,
    Pseudonyms,
    RuntimeKind,
    Runtimes,
    Sections,
    ShardOf,
    Slides,
    Threads,
)
from glisson.cli.progress import RunTable
from glisson.cli.summary import print_summary
from glisson.inputs import asked_slides, with_pseudonyms
from glisson.results import Shard
from glisson.run.segment import segment as segment_slides
from glisson.run.settings import RunSettings

SOME_FAILED = 1


def segment(
    out: OutPlace,
    slides: Slides = None,
    manifest: Manifest = None,
    pseudonyms: Pseudonyms = None,
    shard: ShardOf = None,
    dask: Dask = None,
    model: Model = None,
    mpp: Mpp = None,
    overlap: Overlap = None,
    precision: Precisions = Precision.AUTO,
    exact: Exact = False,
    runtime: Runtimes = RuntimeKind.AUTO,
    threads: Threads = None,
    sections: Sections = None,
    interface_width: float = typer.Option(
        RunSettings.interface_width_um, help="Band of lobule round tracts, in µm."
    ),
    cache: Cache = None,
    overwrite: bool = typer.Option(False, help="Redo slides that are already done."),
) -> None:
    """Find, outline, count and measure the portal tracts of H&E liver biopsy slides.

    Exit code 0: all went well; 1: some of several slides failed; 2: wrong input; 3: the Dask
    cluster was lost, and the same command goes on.
    """
    settings = RunSettings(
        mpp=mpp,
        overlap=overlap,
        precision="f32" if exact else precision.value,
        runtime=runtime.value,
        threads=threads,
        sections=sections,
        interface_width_um=interface_width,
        overwrite=overwrite,
        cache=cache,
    )
    say_which_model(model)
    part = None if shard is None else Shard.parse(shard)
    asked = asked_slides(slides or [], manifest)
    if pseudonyms is not None:
        asked = with_pseudonyms(asked, pseudonyms)
    with RunTable() as table:
        result = segment_slides(
            asked, out, model, settings, table, part, isolated=len(asked) > 1, dask=dask
        )
    print_summary(result, part)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
