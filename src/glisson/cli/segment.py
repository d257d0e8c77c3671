"""`glisson segment`: slides in, portal tracts out."""

from __future__ import annotations

import typer

from glisson.cli.model_choice import say_which_model
from glisson.cli.options import (
    Cache,
    CacheGb,
    Dask,
    Exact,
    KeepOld,
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
from glisson.run.executors import Shard
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
    cache_gb: CacheGb = None,
    overwrite: bool = typer.Option(False, help="Redo slides that are already done."),
    keep_old: KeepOld = False,
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
        keep_old=keep_old,
        cache=cache,
        cache_gb=cache_gb,
    )
    say_which_model(model)
    part = None if shard is None else Shard.parse(shard, dask)
    asked = asked_slides(slides or [], manifest)
    if pseudonyms is not None:
        asked = with_pseudonyms(asked, pseudonyms)
    with RunTable() as table:
        result = segment_slides(asked, out, model, settings, table, part or dask)
    print_summary(result, part)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
